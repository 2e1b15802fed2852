/** How late packets came is remembered for one to two of these. */
const WINDOW_MS = 10_000;
/** What the next one may take beyond the latest so far. */
const MARGIN = 1.25;
const MARGIN_MS = 50;
/** Packets that may come yet after they were given up. */
const MAX_GIVEN_UP = 512;

/** How long it is worth to wait for a missing packet, from how late those came that did come. */
export class Lateness {
  readonly #least: number;
  readonly #most: number;
  #windowFromMs: number | undefined;
  #latestMs = 0;
  #latestBeforeMs: number;
  /** When they began to be missed, by unwrapped sequence number. */
  readonly #givenUp = new Map<number, number>();

  constructor({ holdMs, maxHoldMs }: { readonly holdMs: number; readonly maxHoldMs: number }) {
    this.#least = holdMs;
    this.#most = maxHoldMs;
    // Of a network that nothing is known of the worst is expected.
    this.#latestBeforeMs = maxHoldMs;
  }

  holdMs(atMs: number): number {
    this.#pass(atMs);
    const latestMs = Math.max(this.#latestMs, this.#latestBeforeMs);
    return Math.min(this.#most, Math.max(this.#least, latestMs * MARGIN + MARGIN_MS));
  }

  /** @param ms after the first one behind it */
  came(ms: number, atMs: number): void {
    this.#pass(atMs);
    this.#latestMs = Math.max(this.#latestMs, ms);
  }

  gaveUp(sequence: number, missedSinceMs: number): void {
    this.#givenUp.set(sequence, missedSinceMs);
    for (const oldest of this.#givenUp.keys()) {
      if (this.#givenUp.size <= MAX_GIVEN_UP) return;
      this.#givenUp.delete(oldest);
    }
  }

  cameTooLate(sequence: number, atMs: number): void {
    const missedSinceMs = this.#givenUp.get(sequence);
    if (missedSinceMs === undefined) return;
    this.#givenUp.delete(sequence);
    // What no wait could have brought says nothing of how long to wait.
    if (atMs - missedSinceMs <= 2 * this.#most) this.came(atMs - missedSinceMs, atMs);
  }

  #pass(atMs: number): void {
    this.#windowFromMs ??= atMs;
    const elapsedMs = atMs - this.#windowFromMs;
    if (elapsedMs < WINDOW_MS) return;
    this.#latestBeforeMs = elapsedMs < 2 * WINDOW_MS ? this.#latestMs : 0;
    this.#latestMs = 0;
    this.#windowFromMs = atMs;
  }
}
