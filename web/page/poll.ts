const POLL_MS = 2000;
const LONGEST_POLL_MS = 30_000;

export interface PollOptions {
  /** Asks the server and shows the answer. */
  readonly ask: () => Promise<void>;
  /** @param failures how often in a row; 0 = it works again  @returns false when asking again would change nothing */
  readonly onOutcome: (error: unknown, failures: number) => boolean;
}

/** Asks every two seconds while the page is looked at, less often while that fails. */
export class Poll {
  readonly #options: PollOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;
  #failures = 0;
  #goesOn = true;

  constructor(options: PollOptions) {
    this.#options = options;
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.now();
    });
    void this.now();
  }

  /** Asks at once. */
  async now(): Promise<void> {
    if (this.#asking) return;
    clearTimeout(this.#timer);
    this.#asking = true;
    try {
      await this.#options.ask();
      if (this.#failures > 0) this.#options.onOutcome(null, 0);
      this.#failures = 0;
      this.#goesOn = true;
    } catch (error) {
      this.#failures += 1;
      this.#goesOn = this.#options.onOutcome(error, this.#failures);
    } finally {
      this.#asking = false;
      this.#schedule();
    }
  }

  #schedule(): void {
    if (document.visibilityState !== 'visible' || !this.#goesOn) return;
    const delayMs = Math.min(LONGEST_POLL_MS, POLL_MS * 2 ** Math.max(0, this.#failures - 1));
    this.#timer = setTimeout(() => void this.now(), delayMs);
  }
}
