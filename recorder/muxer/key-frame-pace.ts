/** A reader of the file jumps to key frames only: there is to be one that often. */
export const KEY_FRAME_INTERVAL_MS = 10_000;
/** For the publisher to answer. */
const RETRY_MS = 2000;

/** When a key frame is to be asked for though nothing is missing. */
export class KeyFramePace {
  #lastMs: number | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;

  came(atMs: number): void {
    this.#lastMs = atMs;
  }

  /** Each `true` counts as asked. Before the first key frame whoever waits for it asks. */
  isDue(atMs: number): boolean {
    if (this.#lastMs === undefined || atMs - this.#lastMs < KEY_FRAME_INTERVAL_MS) return false;
    if (atMs - this.#askedMs < RETRY_MS) return false;
    this.#askedMs = atMs;
    return true;
  }
}
