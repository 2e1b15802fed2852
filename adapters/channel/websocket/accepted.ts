import type { Socket } from 'node:net';
import type WebSocket from 'ws';
import type { PeerIdentity, ServiceName } from '../../../core/channel/service.ts';
import { Answering, type AnyServe } from './answering.ts';
import { Connection, type ConnectionLimits } from './connection.ts';
import { CLOSE, type Gone } from './gone.ts';

export interface AcceptedOptions {
  readonly id: string;
  readonly service: ServiceName;
  readonly identity: PeerIdentity;
  readonly serve: AnyServe;
  readonly limits: ConnectionLimits;
  readonly maxCallsInFlight: number;
  readonly onError: (error: unknown, call: string) => void;
  readonly onGone: (gone: Gone) => void;
}

/**
 * A connection at the end that was dialled. When its socket breaks, it waits for the other end to come back
 * with another one; after `resumeMs` it is gone for good.
 */
export class Accepted {
  readonly id: string;
  readonly #options: AcceptedOptions;
  readonly #connection: Connection;
  #answering: Answering | undefined;
  #waiting: NodeJS.Timeout | undefined;

  constructor(options: AcceptedOptions) {
    this.id = options.id;
    this.#options = options;
    const { limits, onGone } = options;
    this.#connection = new Connection(limits, {
      onText: (text) => this.#answering?.receive(text),
      onBroken: (gone) => this.#wait(gone),
      onGone: (gone) => {
        clearTimeout(this.#waiting);
        this.#answering?.end();
        onGone(gone);
      },
    });
  }

  /** Whether another socket may go on with it. */
  isOf(service: ServiceName, { recording }: PeerIdentity): boolean {
    return this.#options.service === service && this.#options.identity.recording === recording;
  }

  /** Lets go of the socket it had, which may have broken unseen. @returns how many messages have arrived */
  pause(): number {
    this.#connection.detach();
    // The opening handshake may fail yet.
    if (this.#answering !== undefined) this.#wait({ why: 'reset', detail: 'it was not resumed' });
    return this.#connection.received;
  }

  /** Begins, or goes on, with a socket. @param theirs how many messages of this end the other end has */
  attach(socket: WebSocket, raw: Socket, theirs: number): void {
    clearTimeout(this.#waiting);
    this.#connection.attach(socket, raw, theirs);
    if (this.#answering !== undefined) return;
    const { service, onError } = this.#options;
    try {
      this.#answering = new Answering(this.#connection, this.#options);
    } catch (error) {
      onError(error, `a connection to "${service}"`);
      this.#connection.end({ why: 'closed_here', detail: 'it cannot be served' }, CLOSE.protocol);
    }
  }

  #wait(gone: Gone): void {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#connection.end(gone), this.#options.limits.resumeMs);
  }

  close(): void {
    this.#connection.close();
  }
}
