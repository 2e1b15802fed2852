import type { Sound } from './sound.ts';

/** More than that is not put in at once. */
const MOST_MS = 600_000;
const PIECE_MS = 120_000;

/**
 * Silence of hours, which an outage of storage leaves: it is put in piece by piece, one with each tick, so that no
 * event takes long and no chunk is large. What comes before it is all there is left out, and part of the gap.
 */
export class LongSilence {
  readonly #sound: Sound;
  #toMs: number | undefined;

  constructor(sound: Sound) {
    this.#sound = sound;
  }

  /** What comes next is put elsewhere. */
  cancel(): void {
    this.#toMs = undefined;
  }

  /** @returns whether the sound is so far behind this time that nothing can be put there yet */
  isBefore(ms: number): boolean {
    const { endMs } = this.#sound;
    if (endMs === undefined || ms - endMs <= MOST_MS) return false;
    this.#toMs = ms;
    return true;
  }

  /** @returns false when there is nothing to do */
  fillOn(atMs: number): boolean {
    const { endMs } = this.#sound;
    if (this.#toMs === undefined || endMs === undefined) return false;
    this.#sound.fill(Math.min(this.#toMs, endMs + PIECE_MS), atMs);
    if (!this.isBefore(this.#toMs)) this.#toMs = undefined;
    return true;
  }
}
