/** How long a recording that nobody waits for any more goes on to begin: whoever asks again finds it further along. */
const UNAWAITED_MS = 10_000;

/** Who waits for the first media of a recording. */
export class Expectation {
  readonly #now: () => number;
  #waiting = 0;
  #forgottenAtMs = Number.POSITIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Somebody waits. @returns to be called once when they do no more */
  begin(): () => void {
    this.#waiting += 1;
    this.#forgottenAtMs = Number.POSITIVE_INFINITY;
    return () => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#forgottenAtMs = this.#now() + UNAWAITED_MS;
    };
  }

  /** Nobody has waited for a while. Somebody has before. */
  get isForgotten(): boolean {
    return this.#now() >= this.#forgottenAtMs;
  }
}
