import type { Clock } from './clock.ts';
import { MillraceError } from './error.ts';
import type { Data, Method } from './message.ts';

export interface PendingRequest {
  readonly id: number;
  readonly method: Method;
  readonly stream: string;
  readonly data: Data;
  /** Belongs to one connection: rejected when it is lost, where others are sent again on the next one. */
  readonly volatile: boolean;
  /** On the connection that stands. */
  sent: boolean;
  /** On any connection of the session. */
  asked: boolean;
  readonly resolve: (data: Data) => void;
  readonly reject: (error: MillraceError) => void;
}

type NewRequest = Pick<PendingRequest, 'method' | 'stream' | 'data' | 'volatile'> & {
  readonly timeoutMs: number;
  /** Asked at the deadline. */
  readonly onTimeout: () => MillraceError;
};

/** Requests without reply so far, in the order in which they were made: bounded, each with a deadline. */
export class PendingRequests {
  readonly #clock: Clock;
  readonly #max: number;
  readonly #byId = new Map<number, PendingRequest & { readonly cancelDeadline: () => void }>();
  #nextId = 1;

  constructor(clock: Clock, max: number) {
    this.#clock = clock;
    this.#max = max;
  }

  /** @throws MillraceError `queue_full`; what keeps the connection alive is never refused */
  add(
    { method, stream, data, volatile, timeoutMs, onTimeout }: NewRequest,
    settle: { resolve: (data: Data) => void; reject: (error: MillraceError) => void },
  ): PendingRequest {
    if (!volatile && this.#byId.size >= this.#max) {
      throw new MillraceError('queue_full', `${this.#max} requests wait for the server; try later`);
    }
    const id = this.#nextId++;
    const cancelDeadline = this.#clock.after(timeoutMs, () => {
      this.#byId.delete(id);
      settle.reject(onTimeout());
    });
    const request = {
      id,
      method,
      stream,
      data,
      volatile,
      sent: false,
      asked: false,
      ...settle,
      cancelDeadline,
    };
    this.#byId.set(id, request);
    return request;
  }

  /** The request that a reply answers, which is then no longer pending. */
  take(id: number): PendingRequest | undefined {
    const request = this.#byId.get(id);
    request?.cancelDeadline();
    this.#byId.delete(id);
    return request;
  }

  unsent(): PendingRequest[] {
    return [...this.#byId.values()].filter(({ sent }) => !sent);
  }

  /** The connection is gone: what belongs to it is rejected, the rest is to be sent again. */
  onConnectionLost(error: MillraceError): void {
    this.#reject(({ volatile }) => volatile, error);
    for (const request of this.#byId.values()) request.sent = false;
  }

  /** The session is gone: what was asked in it means nothing in the next one. */
  onSessionLost(error: MillraceError): void {
    this.#reject(({ asked, volatile }) => asked && !volatile, error);
  }

  rejectAll(error: MillraceError): void {
    this.#reject(() => true, error);
  }

  #reject(chosen: (request: PendingRequest) => boolean, error: MillraceError): void {
    for (const request of [...this.#byId.values()].filter(chosen)) {
      this.take(request.id);
      request.reject(error);
    }
  }
}
