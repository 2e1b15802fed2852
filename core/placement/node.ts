import type { NodeEntry } from '../registry/record.ts';
import { leastLoaded } from './least-loaded.ts';

/**
 * The media server for a new publish: the least loaded one.
 * @param random uniform in [0, 1)
 * @returns undefined when no node takes anything new
 */
export function choosePublishNode(nodes: readonly NodeEntry[], random: () => number): NodeEntry | undefined {
  return leastLoaded(nodes.filter(takesNew), random);
}

function takesNew(node: NodeEntry): boolean {
  return node.state === 'ready' && !node.suspect;
}
