/** However quick the storage: below it a second call would only be a burden. */
const LEAST_MS = 500;
/** That many times the usual, and the first call is taken for stuck. */
const USUAL_TIMES = 5;
const WEIGHT = 0.1;
const FIRST_GUESS_MS = 200;

/**
 * Calls that can be made twice with one effect are made again when the first has not been answered for long: a
 * connection that hangs does not hold up what it carries. Where storage is slow, slow is the usual.
 */
export class Hedge {
  readonly #nowMs: () => number;
  #usualMs = FIRST_GUESS_MS;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The first success of the two, or the failure of both. @param mayRepeat as of when it is due */
  async call<T>(make: () => Promise<T>, mayRepeat: () => boolean): Promise<T> {
    const beganMs = this.#nowMs();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let under = 1;
    const failed = (error: unknown) => {
      under--;
      if (under === 0) reject(error);
    };
    make().then(resolve, failed);
    const timer = setTimeout(
      () => {
        if (!mayRepeat()) return;
        under++;
        make().then(resolve, failed);
      },
      Math.max(LEAST_MS, USUAL_TIMES * this.#usualMs),
    );
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#usualMs += WEIGHT * (this.#nowMs() - beganMs - this.#usualMs);
    }
  }
}
