import type { CallHandlers, CallMap, Channel, ChannelEnd } from '../../core/channel/channel.ts';
import { MillraceError } from '../../core/protocol/error.ts';
import { asSent, closedError, overdueError, tooManyCallsError } from './failure.ts';
import { Outbox } from './outbox.ts';
import { copyPlainData } from './plain-data.ts';

/** Far above what one event can cause (each play of the fullest server ends at once). Memory, not pace, bounds it. */
const MAX_QUEUED = 100_000;

export interface LocalChannelOptions {
  readonly maxCallsInFlight: number;
  /** Told of what a handler threw that is not in the error table; the caller only learns `internal`. */
  readonly onError?: (error: unknown, call: string) => void;
}

/**
 * The channel to handlers in this process. Requests, replies and notices are copied and checked to be plain
 * data, so that what works here works over a WebSocket. A channel whose queue of replies and notices
 * overflows is closed, as a connection that reads too slowly would be.
 *
 * @param subscribeNotices called once, with where to send notices; returns the way to stop them
 */
export function connectLocal<Calls extends CallMap, Notice>(
  handlers: CallHandlers<Calls>,
  subscribeNotices: (listener: (notice: Notice) => void) => () => void,
  options: LocalChannelOptions,
): Channel<Calls, Notice> {
  return new LocalChannel(handlers, subscribeNotices, options);
}

class LocalChannel<Calls extends CallMap, Notice> implements Channel<Calls, Notice> {
  readonly #handlers: CallHandlers<Calls>;
  readonly #options: LocalChannelOptions;
  readonly #outbox = new Outbox(MAX_QUEUED);
  /** The way to fail each call in flight. */
  readonly #inFlight = new Set<(error: MillraceError) => void>();
  readonly #noticeListeners = new Set<(notice: Notice) => void>();
  readonly #closeListeners: ((end: ChannelEnd) => void)[] = [];
  readonly #unsubscribe: () => void;
  #closed = false;

  constructor(
    handlers: CallHandlers<Calls>,
    subscribeNotices: (listener: (notice: Notice) => void) => () => void,
    options: LocalChannelOptions,
  ) {
    this.#handlers = handlers;
    this.#options = options;
    this.#unsubscribe = subscribeNotices((notice) => this.#notify(notice));
  }

  call<Name extends keyof Calls & string>(
    name: Name,
    request: Calls[Name]['request'],
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<Calls[Name]['reply']> {
    return new Promise((resolve, reject) => {
      const refusal = this.#refusal(name);
      if (refusal !== undefined) return reject(refusal);

      const settle = (settled: () => void) => {
        if (!this.#inFlight.delete(fail)) return;
        clearTimeout(deadline);
        settled();
      };
      const fail = (error: MillraceError) => settle(() => reject(error));
      const deadline = setTimeout(() => fail(overdueError(name, timeoutMs)), timeoutMs);
      this.#inFlight.add(fail);

      this.#run(name, request).then(
        (reply) => this.#send(() => settle(() => resolve(reply))),
        (error) => {
          if (!(error instanceof MillraceError)) this.#options.onError?.(error, name);
          this.#send(() => fail(asSent(error)));
        },
      );
    });
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    // A function of its own, so that one listener may be added twice and each stopped alone.
    const entry = (notice: Notice) => listener(notice);
    this.#noticeListeners.add(entry);
    return () => this.#noticeListeners.delete(entry);
  }

  onClose(listener: (end: ChannelEnd) => void): void {
    if (this.#closed) queueMicrotask(() => listener('closed'));
    else this.#closeListeners.push(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsubscribe();
    this.#noticeListeners.clear();
    for (const fail of [...this.#inFlight]) fail(closedError());
    for (const listener of this.#closeListeners.splice(0)) queueMicrotask(() => listener('closed'));
  }

  #refusal(name: string): MillraceError | undefined {
    if (this.#closed) return closedError();
    const limit = this.#options.maxCallsInFlight;
    return this.#inFlight.size < limit ? undefined : tooManyCallsError(name, limit);
  }

  async #run<Name extends keyof Calls & string>(
    name: Name,
    request: Calls[Name]['request'],
  ): Promise<Calls[Name]['reply']> {
    const received = copyPlainData(request);
    await undefined; // the handler runs when the caller has gone on, as it would in another process
    return copyPlainData(await this.#handlers[name](received));
  }

  #notify(notice: Notice): void {
    const sent = copyPlainData(notice);
    this.#send(() => {
      for (const listener of this.#noticeListeners) listener(sent);
    });
  }

  #send(deliver: () => void): void {
    if (!this.#closed && !this.#outbox.push(deliver)) this.close();
  }
}
