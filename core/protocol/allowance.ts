/**
 * How much more of something a connection may send, requests or bad messages: a bucket of `capacity` tokens that
 * fills by one every `refillMs`. Time is the caller's, in milliseconds that never go back.
 */
export class Allowance {
  readonly #capacity: number;
  readonly #refillMs: number;
  #left: number;
  #countedAtMs: number;

  constructor(settings: { readonly capacity: number; readonly refillMs: number }, nowMs: number) {
    this.#capacity = settings.capacity;
    this.#refillMs = settings.refillMs;
    this.#left = settings.capacity;
    this.#countedAtMs = nowMs;
  }

  /** Spends one. @returns false when none was left: it is used up */
  spend(nowMs: number): boolean {
    const refilled = (nowMs - this.#countedAtMs) / this.#refillMs;
    this.#left = Math.min(this.#capacity, this.#left + refilled);
    this.#countedAtMs = nowMs;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
