import { Allowance } from '../../core/protocol/index.ts';
import { addressKey, isLoopback } from './client-address.ts';

/** Seconds' worth that may come at once. */
const BURST_S = 3;
/** Above that many addresses the one that asked longest ago is forgotten, and has its whole burst again. */
const MAX_ADDRESSES = 100_000;

/** How often each client address may ask for something. Loopback may always, as with `AddressLimit`. */
export class AddressRate {
  readonly #perSecond: number;
  readonly #maxAddresses: number;
  /** The one that asked longest ago first. */
  readonly #allowances = new Map<string, Allowance>();

  constructor(perSecond: number, maxAddresses = MAX_ADDRESSES) {
    this.#perSecond = perSecond;
    this.#maxAddresses = maxAddresses;
  }

  /** @param nowMs milliseconds that never go back @returns false = too often */
  spend(address: string, nowMs: number): boolean {
    if (address === '' || isLoopback(address)) return true;
    const key = addressKey(address);
    const allowance = this.#allowances.get(key) ?? this.#fresh(nowMs);
    this.#allowances.delete(key);
    this.#allowances.set(key, allowance);
    const [oldest] = this.#allowances.keys();
    if (this.#allowances.size > this.#maxAddresses && oldest !== undefined) this.#allowances.delete(oldest);
    return allowance.spend(nowMs);
  }

  #fresh(nowMs: number): Allowance {
    const perSecond = this.#perSecond;
    return new Allowance({ capacity: perSecond * BURST_S, refillMs: 1000 / perSecond }, nowMs);
  }
}
