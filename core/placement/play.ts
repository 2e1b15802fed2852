import { type Loaded, leastLoaded } from './least-loaded.ts';

/** Below this load a place takes further viewers of a stream that it has; at it they are spread. */
const SPREAD_AT_LOAD = 0.75;

/**
 * Where a viewer goes: the origin of its stream until that one's load passes a threshold, then whoever
 * pulls the stream from it already, then the least loaded, which will have to pull it.
 *
 * @param pulling those of `candidates` that have the stream already, without the origin
 */
export function choosePlay<T extends Loaded>(
  candidates: readonly T[],
  origin: T,
  pulling: readonly T[],
  random: () => number,
): T | undefined {
  if (hasRoom(origin)) return origin;
  return leastLoaded(pulling.filter(hasRoom), random) ?? leastLoaded(candidates, random);
}

function hasRoom(place: Loaded): boolean {
  return place.load < SPREAD_AT_LOAD;
}
