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

  /**
   * Spends what something costs; more than the capacity counts as the capacity, as it could never be paid.
   * @returns false when too little was left: nothing is spent
   */
  spend(nowMs: number, cost = 1): boolean {
    const refilled = (nowMs - this.#countedAtMs) / this.#refillMs;
    this.#left = Math.min(this.#capacity, this.#left + refilled);
    this.#countedAtMs = nowMs;
    const price = Math.max(1, Math.min(cost, this.#capacity));
    if (this.#left < price) return false;
    this.#left -= price;
    return true;
  }
}
