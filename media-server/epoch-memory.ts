import type { StreamName } from '../core/protocol/stream-name.ts';

/** A call that is this many names late does not happen. */
const MAX_NAMES = 10_000;

/** The highest epoch seen of each stream, also after its end: a late call of an older owner is refused. */
export class EpochMemory {
  readonly #epochs = new Map<StreamName, number>();

  /** 0 for a name that was not seen, or long ago. */
  lastOf(name: StreamName): number {
    return this.#epochs.get(name) ?? 0;
  }

  saw(name: StreamName, epoch: number): void {
    const highest = Math.max(epoch, this.lastOf(name));
    // Deleted first, so that the map stays in the order in which names were last seen.
    this.#epochs.delete(name);
    this.#epochs.set(name, highest);
    const [oldest] = this.#epochs.keys();
    if (this.#epochs.size > MAX_NAMES && oldest !== undefined) this.#epochs.delete(oldest);
  }
}
