/** The worker's score falls to 0 this long after the last packet. */
const SCORE_DELAY_MS = 1500;

/**
 * Whether a publisher's media arrives, without asking the worker all the time.
 *
 * The worker scores each stream of packets and says when a score changes; 0 means that nothing came for
 * 1.5 s (5 s where the sender may pause in silence), or that nearly all was lost. So on 0 the count of bytes
 * is noted, and who wants to know later asks for it again: it has grown or not.
 */
export class Pulse {
  readonly #bytesReceived: () => Promise<number>;
  readonly #scores = new Map<string, number>();
  #silence: { readonly sinceMs: number; readonly bytes: Promise<number> } | undefined;

  /** @param bytesReceived RTP bytes received so far, as the worker counts them */
  constructor(bytesReceived: () => Promise<number>) {
    this.#bytesReceived = bytesReceived;
  }

  /** The publisher's transport connected: silence begins, and its first packet ends it. */
  connected(nowMs: number): void {
    if (!this.beats) this.#silence ??= { sinceMs: nowMs, bytes: Promise.resolve(0) };
  }

  /** @param score the best of a producer's encodings, 0..10 */
  scored(producerId: string, score: number, nowMs: number): void {
    this.#scores.set(producerId, score);
    this.#look(nowMs);
  }

  /** The producer is gone. */
  forget(producerId: string, nowMs: number): void {
    this.#scores.delete(producerId);
    this.#look(nowMs);
  }

  /** By the worker's scores alone. */
  get beats(): boolean {
    return [...this.#scores.values()].some((score) => score > 0);
  }

  /** Whether nothing has arrived for `idleMs`. @throws as `bytesReceived` */
  async silentFor(idleMs: number, nowMs: number): Promise<boolean> {
    const silence = this.#silence;
    if (!silence || nowMs - silence.sinceMs < idleMs) return false;
    return (await this.#bytesReceived()) === (await silence.bytes);
  }

  #look(nowMs: number): void {
    if (this.beats) {
      this.#silence = undefined;
    } else if (!this.#silence) {
      const bytes = this.#bytesReceived();
      // Whoever asks later gets the failure; nobody may.
      bytes.catch(() => {});
      this.#silence = { sinceMs: nowMs - SCORE_DELAY_MS, bytes };
    }
  }
}
