const TICK_MS = 100;
/** Requests for statistics cost the workers about 10 µs each: at most so many are a small part of a core. */
const MAX_SAMPLES_PER_TICK = 20;

/** Something that asks its worker for statistics. It never throws. */
export interface Sampled {
  sample(): Promise<void>;
}

/**
 * Samples everything that there is in rounds: one round in `periodMs`, spread over it, and a longer one where
 * that would be more than the workers should be asked.
 */
export class Sampler {
  readonly #everything: () => Iterable<Sampled>;
  readonly #ticksPerRound: number;
  readonly #timer: NodeJS.Timeout;
  #round: Sampled[] = [];
  #ticksLeft = 0;
  #perTick = 0;
  #running = 0;

  constructor(everything: () => Iterable<Sampled>, periodMs: number) {
    this.#everything = everything;
    this.#ticksPerRound = Math.ceil(periodMs / TICK_MS);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    if (this.#ticksLeft-- <= 0 && this.#round.length === 0) this.#beginRound();
    // A worker that is slow to answer is not asked more.
    const free = MAX_SAMPLES_PER_TICK - this.#running;
    for (const each of this.#round.splice(0, Math.min(this.#perTick, free))) {
      this.#running++;
      each.sample().finally(() => this.#running--);
    }
  }

  /** What comes and goes during a round has its turn in the next one. */
  #beginRound(): void {
    this.#round = [...this.#everything()];
    this.#ticksLeft = this.#ticksPerRound - 1;
    this.#perTick = Math.min(MAX_SAMPLES_PER_TICK, Math.ceil(this.#round.length / this.#ticksPerRound));
  }
}
