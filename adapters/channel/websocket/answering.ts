import type { Peer, PeerIdentity } from '../../../core/channel/service.ts';
import { MillraceError } from '../../../core/protocol/error.ts';
import { asSent, tooManyCallsError } from '../failure.ts';
import type { Connection } from './connection.ts';
import { BadFrame, type CallFrame, decodeCall, encodeFailure, encodeNotice, encodeReply } from './frame.ts';

/** A `Serve` of any service: only the two ends know what its calls and notices hold. */
export type AnyServe = (peer: Peer<never>) => Readonly<Record<string, (request: never) => Promise<unknown>>>;

export interface AnsweringOptions {
  readonly identity: PeerIdentity;
  readonly serve: AnyServe;
  /** Handlers of one connection that run at once; a further call is refused. */
  readonly maxCallsInFlight: number;
  /** Told of what a handler threw that is not in the error table; the caller only learns `internal`. */
  readonly onError: (error: unknown, call: string) => void;
}

/** The answering end of one connection: it runs a handler for each call, sends its reply, and notices. */
export class Answering {
  readonly #options: AnsweringOptions;
  readonly #connection: Connection;
  readonly #handlers: ReturnType<AnyServe>;
  readonly #closeListeners: (() => void)[] = [];
  #gone = false;
  #running = 0;

  constructor(connection: Connection, options: AnsweringOptions) {
    this.#connection = connection;
    this.#options = options;
    const peer: Peer<unknown> = {
      identity: options.identity,
      notify: (notice) => {
        // Whoever misses one notice knows less than whoever is told that the connection is gone.
        if (this.#send(encodeNotice(notice), 'a notice') === 'too_large')
          connection.breach('a notice too large');
      },
      onClose: (listener) => {
        if (this.#gone) queueMicrotask(listener);
        else this.#closeListeners.push(listener);
      },
    };
    this.#handlers = options.serve(peer);
  }

  receive(text: string): void {
    let frame: CallFrame | undefined;
    try {
      frame = decodeCall(text);
    } catch (error) {
      if (!(error instanceof BadFrame)) throw error;
      this.#connection.breach(error.message);
      return;
    }
    if (frame !== undefined) void this.#answer(frame);
  }

  /** The connection is gone. */
  end(): void {
    this.#gone = true;
    for (const listener of this.#closeListeners.splice(0)) queueMicrotask(listener);
  }

  async #answer({ id, call, data }: CallFrame): Promise<void> {
    const { maxCallsInFlight } = this.#options;
    if (this.#running >= maxCallsInFlight) {
      this.#send(encodeFailure(id, tooManyCallsError(call, maxCallsInFlight)), call);
      return;
    }
    this.#running += 1;
    let answer: string;
    try {
      answer = encodeReply(id, await this.#handler(call)(data as never));
    } catch (error) {
      if (!(error instanceof MillraceError)) this.#options.onError(error, call);
      answer = encodeFailure(id, asSent(error));
    }
    this.#running -= 1;
    if (this.#send(answer, call) !== 'too_large') return;
    const text = `the reply to "${call}" is larger than the channel carries; ask for less`;
    this.#send(encodeFailure(id, new MillraceError('too_large', text)), call);
  }

  #handler(call: string): (request: never) => Promise<unknown> {
    // Own fields only: "constructor" is no call.
    const handler = Object.hasOwn(this.#handlers, call) ? this.#handlers[call] : undefined;
    if (typeof handler === 'function') return handler;
    throw new MillraceError(
      'unknown_method',
      `there is no call ${JSON.stringify(call.slice(0, 100))} in the version of this process`,
    );
  }

  #send(frame: string, what: string): ReturnType<Connection['send']> {
    const sent = this.#connection.send(frame);
    if (sent === 'too_large') {
      this.#options.onError(new Error(`${frame.length} characters are more than the channel carries`), what);
    }
    return sent;
  }
}
