/** The worker counts a bitrate over this time: 0 means that nothing came for so long. */
const RATE_WINDOW_MS = 2500;

/**
 * Since when a publisher's media has been missing, from the worker's counts of it. It is as exact as counts
 * are frequent, and knows of a silence of 2.5 s from the first count in it.
 */
export class Pulse {
  #expectedSinceMs: number;
  #beatAtMs: number;
  #bytes = 0;
  #missing = false;

  /** @param nowMs when the transport was opened */
  constructor(nowMs: number) {
    this.#expectedSinceMs = nowMs;
    this.#beatAtMs = nowMs;
  }

  /** The transport connected: media is expected from now on. */
  connected(nowMs: number): void {
    this.#expectedSinceMs = nowMs;
    this.#beatAtMs = nowMs;
    this.#missing = false;
  }

  /** What the worker counts now. */
  counted(bytes: number, bitrateBps: number, nowMs: number): void {
    const grew = bytes !== this.#bytes;
    this.#bytes = bytes;
    const windowBeganMs = Math.max(this.#expectedSinceMs, nowMs - RATE_WINDOW_MS);
    if (bitrateBps === 0) this.#beatAtMs = Math.min(this.#beatAtMs, windowBeganMs);
    else if (grew) this.#beatAtMs = nowMs;
    this.#missing = !grew && nowMs - this.#expectedSinceMs > RATE_WINDOW_MS;
  }

  /** Whether nothing had come between the last two counts. */
  get missing(): boolean {
    return this.#missing;
  }

  silentMs(nowMs: number): number {
    return nowMs - this.#beatAtMs;
  }
}
