/** What placement looks at in a node of the cluster or a worker of a media server. */
export interface Loaded {
  /** 0 idle .. 1 full. */
  readonly load: number;
  readonly streams: number;
  readonly viewers: number;
}

/** Loads are measured about once a second; a smaller difference than this says nothing. */
const SAME_LOAD = 0.05;
/** Of many candidates this share, the idlest, are drawn from, however much they differ. */
const DRAWN_SHARE = 0.25;

/**
 * The least loaded candidate of few, one of the least loaded of many. Two are drawn at random of those that are
 * about as idle as the idlest, or of the idlest quarter if that is more; the clearly less loaded of the two wins,
 * else the one with fewer streams, then with fewer viewers. Measured loads lag, and whoever else places knows
 * nothing of us: a burst that always went to the idlest would all land on one (power of two choices).
 *
 * @param random uniform in [0, 1)
 */
export function leastLoaded<T extends Loaded>(candidates: readonly T[], random: () => number): T | undefined {
  const [first, second] = drawTwo(idlest(candidates), random);
  if (first === undefined || second === undefined) return first;
  return compare(second, first) < 0 ? second : first;
}

function idlest<T extends Loaded>(candidates: readonly T[]): readonly T[] {
  const loads = Float64Array.from(candidates, ({ load }) => load).sort();
  const least = loads[0] ?? 0;
  const drawn = loads[Math.ceil(candidates.length * DRAWN_SHARE) - 1] ?? least;
  return candidates.filter(({ load }) => load <= Math.max(drawn, least + SAME_LOAD));
}

function compare(a: Loaded, b: Loaded): number {
  const difference = a.load - b.load;
  if (Math.abs(difference) > SAME_LOAD) return difference;
  return a.streams - b.streams || a.viewers - b.viewers;
}

function drawTwo<T>(items: readonly T[], random: () => number): [T | undefined, T | undefined] {
  const first = Math.floor(random() * items.length);
  if (items.length < 2) return [items[first], undefined];
  const step = 1 + Math.floor(random() * (items.length - 1));
  return [items[first], items[(first + step) % items.length]];
}
