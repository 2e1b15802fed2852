/** So many silent intervals in a row, and the other end counts as dead. */
const MAX_MISSED = 3;

/**
 * Pings the other end of a connection, and tells once when it has been silent for three intervals: no bytes,
 * not even an answer to a ping. Intervals are counted, not time: one in which this process was held up
 * counts once, and what came meanwhile is read before the next.
 */
export class Heartbeat {
  readonly #timer: NodeJS.Timeout;
  readonly #bytesRead: () => number;
  readonly #onSilent: () => void;
  #heardBytes: number;
  #missed = 0;

  constructor(options: {
    readonly intervalMs: number;
    readonly ping: () => void;
    /** All bytes ever read, so that a long message on a slow line counts while it comes in. */
    readonly bytesRead: () => number;
    readonly onSilent: () => void;
  }) {
    this.#bytesRead = options.bytesRead;
    this.#onSilent = options.onSilent;
    this.#heardBytes = options.bytesRead();
    this.#timer = setInterval(() => {
      this.#judge();
      options.ping();
    }, options.intervalMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #judge(): void {
    const bytes = this.#bytesRead();
    this.#missed = bytes === this.#heardBytes ? this.#missed + 1 : 0;
    this.#heardBytes = bytes;
    if (this.#missed < MAX_MISSED) return;
    this.stop();
    this.#onSilent();
  }
}
