import type { NodeEntry, NodeId } from '../registry/record.ts';
import { leastLoaded } from './least-loaded.ts';
import { choosePlay } from './play.ts';

/**
 * The media server for a new publish: the least loaded one.
 * @param random uniform in [0, 1)
 * @returns undefined when no node takes anything new
 */
export function choosePublishNode(nodes: readonly NodeEntry[], random: () => number): NodeEntry | undefined {
  return leastLoaded(nodes.filter(takesNew), random);
}

/**
 * The media server for a new viewer of a stream.
 * @param origin the stream's node by the registry
 * @param pulling nodes that have the stream through a pipe
 * @param random uniform in [0, 1)
 * @returns undefined when no node takes anything new
 */
export function choosePlayNode(
  nodes: readonly NodeEntry[],
  origin: NodeId,
  pulling: ReadonlySet<NodeId>,
  random: () => number,
): NodeEntry | undefined {
  const usable = nodes.filter(takesNew);
  return choosePlay(
    usable,
    usable.find((node) => node.id === origin),
    usable.filter((node) => pulling.has(node.id)),
    random,
  );
}

function takesNew(node: NodeEntry): boolean {
  return node.state === 'ready' && !node.suspect;
}
