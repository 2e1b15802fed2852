const TICK_MS = 100;
/** Requests for statistics cost the workers about 50 µs each: so many a second are a hundredth of a core. */
const MAX_SAMPLES_PER_TICK = 20;

/** Something that asks its worker for statistics. It never throws. */
export interface Sampled {
  sample(): Promise<void>;
}

/**
 * Takes turns at sampling everything that there is: each about once in `periodMs`, spread evenly, and less
 * often where that would be more than the workers should be asked.
 */
export class Sampler {
  readonly #everything: () => Iterable<Sampled>;
  readonly #periodMs: number;
  readonly #timer: NodeJS.Timeout;
  #round: Iterator<Sampled> | undefined;
  #perTick = 1;
  #running = 0;

  constructor(everything: () => Iterable<Sampled>, periodMs: number) {
    this.#everything = everything;
    this.#periodMs = periodMs;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    // A worker that is slow to answer is not asked more.
    if (this.#running > MAX_SAMPLES_PER_TICK) return;
    for (let taken = 0; taken < this.#perTick; taken++) {
      const next = this.#next();
      if (!next) return;
      this.#running++;
      next.sample().finally(() => this.#running--);
    }
  }

  #next(): Sampled | undefined {
    const next = this.#round?.next();
    if (next && !next.done) return next.value;
    return this.#beginRound();
  }

  /** Each round takes a list: what comes and goes meanwhile has its turn in the next one. */
  #beginRound(): undefined {
    const everything = [...this.#everything()];
    const ticks = this.#periodMs / TICK_MS;
    this.#perTick = Math.min(MAX_SAMPLES_PER_TICK, Math.max(1, Math.ceil(everything.length / ticks)));
    this.#round = everything.values();
    return undefined;
  }
}
