import type { NodeEntry, NodeId } from '../registry/record.ts';
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

/** Of one viewer and one stream. */
export interface PlayFacts {
  /** Those that can be reached; draining and suspect ones are passed by. */
  readonly nodes: readonly NodeEntry[];
  readonly origin: NodeId;
  /** The media servers that pull the stream. */
  readonly pulling: readonly NodeId[];
  /** Where the viewer plays it already: a new offer may be of the same peer connection. */
  readonly current: NodeId | undefined;
}

/**
 * The media server for a viewer.
 * @param random uniform in [0, 1)
 * @returns undefined when no media server takes anything new
 */
export function choosePlayNode(facts: PlayFacts, random: () => number): NodeEntry | undefined {
  const usable = facts.nodes.filter(({ state, suspect }) => state === 'ready' && !suspect);
  const find = (id: NodeId | undefined) => usable.find((node) => node.id === id);
  const current = find(facts.current);
  if (current) return current;
  const pulling = usable.filter(({ id }) => id !== facts.origin && facts.pulling.includes(id));
  const origin = find(facts.origin);
  if (origin) return choosePlay(usable, origin, pulling, random);
  return leastLoaded(pulling.filter(hasRoom), random) ?? leastLoaded(usable, random);
}

/** Whether the stream's own media server is to be asked alone: nobody else needs to be known then. */
export function staysAtOrigin(origin: NodeEntry | undefined): boolean {
  return origin !== undefined && origin.state === 'ready' && !origin.suspect && hasRoom(origin);
}

function hasRoom(place: Loaded): boolean {
  return place.load < SPREAD_AT_LOAD;
}
