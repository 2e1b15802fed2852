import { randomBytes } from 'node:crypto';
import { Connection, type ConnectionLimits } from './connection.ts';
import { CONNECTION_HEADER, type DialOptions, dial, RECEIVED_HEADER } from './dial.ts';
import type { Gone } from './gone.ts';
import type { ChannelAuthority } from './tls.ts';

export interface RedialOptions {
  readonly url: string;
  readonly token: DialOptions['token'];
  readonly tls?: () => ChannelAuthority;
  readonly versions: readonly number[];
  readonly limits: ConnectionLimits;
  /** For the first opening handshake. */
  readonly openTimeoutMs: number;
  /** The first socket is open. */
  readonly onOpen: () => void;
  readonly onText: (text: string) => void;
  /** Once, when the connection is gone for good. */
  readonly onGone: (gone: Gone) => void;
}

/** Heartbeats within which a socket that is to resume a connection must be open: so long, and it is dead. */
const REDIAL_HEARTBEATS = 3;

/**
 * The dialling end of a connection. A socket that breaks says little: the other process may live, and
 * something between may have cut it. So it is dialled again at once, and the connection goes on where it was;
 * it is gone for good when nobody listens there, another process does, or nobody answers: evidence that the
 * other process is dead. Three heartbeats without an answer are that evidence by themselves.
 */
export class Redialling {
  readonly #options: RedialOptions;
  readonly #connection: Connection;
  readonly #id = randomBytes(16).toString('hex');
  #giveUp: (() => void) | undefined;
  #again: NodeJS.Timeout | undefined;
  /** The one at the other end, from the first open socket on. */
  #process: string | undefined;
  #resumeUntilMs = 0;
  #gone = false;

  constructor(options: RedialOptions) {
    this.#options = options;
    this.#connection = new Connection(options.limits, {
      onText: options.onText,
      onBroken: (gone) => this.#broken(gone),
      onGone: (gone) => this.#end(gone),
    });
    this.#dial();
  }

  get opened(): boolean {
    return this.#process !== undefined;
  }

  send(text: string): ReturnType<Connection['send']> {
    return this.#connection.send(text);
  }

  breach(detail: string): void {
    this.#connection.breach(detail);
  }

  close(): void {
    this.#connection.close();
  }

  #dial(): void {
    const { url, token, tls, versions, limits, openTimeoutMs } = this.#options;
    this.#giveUp = dial({
      url,
      token,
      ...(tls && { tls: tls() }),
      versions,
      headers: {
        [CONNECTION_HEADER]: this.#id,
        ...(this.opened && { [RECEIVED_HEADER]: String(this.#connection.received) }),
      },
      maxMessageBytes: limits.maxMessageBytes,
      timeoutMs: this.opened ? REDIAL_HEARTBEATS * limits.heartbeatMs : openTimeoutMs,
      resumes: this.#process,
      onOpen: (socket, { raw, received, process }) => {
        this.#connection.attach(socket, raw, received);
        if (this.#process !== undefined) return;
        this.#process = process;
        this.#options.onOpen();
      },
      onFailed: (gone) => this.#failed(gone),
    });
  }

  #broken(gone: Gone): void {
    if (gone.why === 'silent') this.#connection.end(gone);
    else {
      this.#resumeUntilMs = performance.now() + this.#options.limits.resumeMs;
      this.#dial();
    }
  }

  #failed(gone: Gone): void {
    if (this.opened && gone.why === 'reset' && performance.now() < this.#resumeUntilMs) {
      this.#again = setTimeout(() => this.#dial(), this.#options.limits.heartbeatMs / 4);
    } else this.#connection.end(gone);
  }

  #end(gone: Gone): void {
    if (this.#gone) return;
    this.#gone = true;
    clearTimeout(this.#again);
    this.#giveUp?.();
    this.#options.onGone(gone);
  }
}
