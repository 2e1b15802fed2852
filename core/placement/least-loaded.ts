/** What placement looks at in a node of the cluster or a worker of a media server. */
export interface Loaded {
  /** 0 idle .. 1 full. */
  readonly load: number;
  readonly streams: number;
  readonly viewers: number;
}

/** Loads are measured about once a second; a smaller difference than this says nothing. */
const SAME_LOAD = 0.05;

/**
 * The least loaded candidate. Of those that are about as idle, two are drawn at random and the one with
 * fewer streams, then with fewer viewers, wins: measured loads lag, so a burst that always went to the
 * first of them would all land on one (power of two choices).
 *
 * @param random uniform in [0, 1)
 */
export function leastLoaded<T extends Loaded>(candidates: readonly T[], random: () => number): T | undefined {
  const least = Math.min(...candidates.map((candidate) => candidate.load));
  const idlest = candidates.filter((candidate) => candidate.load <= least + SAME_LOAD);
  const [first, second] = drawTwo(idlest, random);
  if (first === undefined || second === undefined) return first;
  return byCount(second, first) < 0 ? second : first;
}

function byCount(a: Loaded, b: Loaded): number {
  return a.streams - b.streams || a.viewers - b.viewers;
}

function drawTwo<T>(items: readonly T[], random: () => number): [T | undefined, T | undefined] {
  const first = Math.floor(random() * items.length);
  if (items.length < 2) return [items[first], undefined];
  const step = 1 + Math.floor(random() * (items.length - 1));
  return [items[first], items[(first + step) % items.length]];
}
