/** Turns totals that a worker counts for each of its objects into totals of the node, which outlive them. */
export class Meter {
  readonly #seen = new Map<string, number>();

  /** How much `total` of `key` grew since it was last told. A total that shrank began anew. */
  growth(key: string, total: number): number {
    const before = this.#seen.get(key) ?? 0;
    this.#seen.set(key, total);
    return total >= before ? total - before : total;
  }
}

/** Media that passed through this node, as far as it was sampled. */
export interface Traffic {
  receivedBytes: number;
  receivedPackets: number;
  sentBytes: number;
  sentPackets: number;
}

export function noTraffic(): Traffic {
  return { receivedBytes: 0, receivedPackets: 0, sentBytes: 0, sentPackets: 0 };
}
