/** Does one thing again and again, with a rest behind each time, until it is closed. */
export class Rounds {
  readonly #round: () => Promise<void>;
  readonly #restMs: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param round never rejects */
  constructor(round: () => Promise<void>, restMs: number) {
    this.#round = round;
    this.#restMs = restMs;
  }

  get closed(): boolean {
    return this.#closed;
  }

  open(): void {
    void this.#run();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    await this.#round();
    if (!this.#closed) this.#timer = setTimeout(() => void this.#run(), this.#restMs);
  }
}
