import { addressKey, isLoopback } from './client-address.ts';

/**
 * How many of something each client address may have at once. Loopback has no limit: whoever is on this machine
 * can do worse, and behind a proxy that is not said to be trusted all clients are there.
 */
export class AddressLimit {
  readonly #limit: number;
  readonly #taken = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes one. @returns what gives it back, once however often it is called; undefined = none is left */
  take(address: string): (() => void) | undefined {
    if (address === '' || isLoopback(address)) return () => undefined;
    const key = addressKey(address);
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= this.#limit) return undefined;
    this.#taken.set(key, taken + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const left = (this.#taken.get(key) ?? 1) - 1;
      if (left === 0) this.#taken.delete(key);
      else this.#taken.set(key, left);
    };
  }

  /** Addresses that have something now. */
  get size(): number {
    return this.#taken.size;
  }
}
