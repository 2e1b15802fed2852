/** What an answer may take however few the bytes. */
const LEAST_MS = 4000;
/** That many times what is usual for so many bytes. */
const USUAL_TIMES = 8;
/** A slow way there; also the guess before anything is known. */
const SLOWEST_MS_PER_BYTE = 1 / 16;
const MAX_TIMEOUT_MS = 600_000;
const MAX_DOUBLINGS = 7;
/** Smaller calls say little of the way's width. */
const LEAST_BYTES = 64 * 1024;
const WEIGHT = 0.2;

/** How long calls may take, from how long they took: a part that hangs is not waited for as long as a slow one. */
export class Pace {
  #msPerByte = SLOWEST_MS_PER_BYTE;

  timeoutFor(bytes: number, attempt: number): number {
    const usualMs = bytes * Math.min(this.#msPerByte * USUAL_TIMES, SLOWEST_MS_PER_BYTE);
    return Math.round(Math.min((LEAST_MS + usualMs) * 2 ** Math.min(attempt, MAX_DOUBLINGS), MAX_TIMEOUT_MS));
  }

  took(bytes: number, ms: number): void {
    if (bytes < LEAST_BYTES) return;
    this.#msPerByte += WEIGHT * (ms / bytes - this.#msPerByte);
  }

  /** It would have taken longer than that. */
  failed(bytes: number, ms: number): void {
    if (bytes < LEAST_BYTES) return;
    this.#msPerByte = Math.min(SLOWEST_MS_PER_BYTE, Math.max(this.#msPerByte, ms / bytes));
  }
}
