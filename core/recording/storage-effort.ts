/** What it took to make media durable, since it was last told. */
export interface StorageEffort {
  /** How long each chunk took from the muxer until it was durable. */
  readonly flushesMs: readonly number[];
  /** Calls of storage that failed. */
  readonly errors: number;
}

/** More than one report's worth at the shortest flush interval; of what is beyond, nothing is known. */
const MAX_FLUSHES = 256;

/** Collects effort until it is told. */
export class EffortTally {
  #flushesMs: number[] = [];
  #errors = 0;

  add({ flushesMs, errors }: StorageEffort): void {
    this.#flushesMs.push(...flushesMs.slice(0, Math.max(0, MAX_FLUSHES - this.#flushesMs.length)));
    this.#errors += errors;
  }

  take(): StorageEffort {
    const effort = { flushesMs: this.#flushesMs, errors: this.#errors };
    this.#flushesMs = [];
    this.#errors = 0;
    return effort;
  }
}
