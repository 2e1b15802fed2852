import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NodeEntry, NodeId } from '../registry/record.ts';
import { choosePlayNode, type PlayFacts } from './play.ts';

function node(id: string, load: number, more: Partial<NodeEntry> = {}): NodeEntry {
  return {
    id: id as NodeId,
    address: 'local',
    version: '1',
    state: 'ready',
    suspect: false,
    load,
    streams: 0,
    viewers: 0,
    ...more,
  };
}

const ids = (...names: string[]) => names as NodeId[];
const facts = (
  nodes: readonly NodeEntry[],
  { pulling = [], current }: { pulling?: NodeId[]; current?: NodeId } = {},
): PlayFacts => ({ nodes, origin: 'o' as NodeId, pulling, current });

const CASES: readonly [string, PlayFacts, string | undefined][] = [
  ['the origin has room', facts([node('o', 0.7), node('a', 0)], { pulling: ids('a') }), 'o'],
  [
    'the origin is busy, one pulls',
    facts([node('o', 0.8), node('a', 0.5), node('b', 0)], { pulling: ids('a') }),
    'a',
  ],
  ['the origin is busy, nobody pulls', facts([node('o', 0.8), node('a', 0.5), node('b', 0)]), 'b'],
  [
    'who pulls is busy too',
    facts([node('o', 0.8), node('a', 0.76), node('b', 0)], { pulling: ids('a') }),
    'b',
  ],
  ['all are busy', facts([node('o', 0.8), node('a', 0.95)], { pulling: ids('a') }), 'o'],
  ['the viewer plays it at an edge', facts([node('o', 0), node('a', 0.9)], { current: 'a' as NodeId }), 'a'],
  [
    'that edge is draining',
    facts([node('o', 0), node('a', 0, { state: 'draining' })], { current: 'a' as NodeId }),
    'o',
  ],
  ['the origin is draining', facts([node('o', 0, { state: 'draining' }), node('a', 0.3)]), 'a'],
  ['the origin is suspect', facts([node('o', 0, { suspect: true }), node('a', 0.3)]), 'a'],
  ['the origin is not to be reached', facts([node('a', 0.3)]), 'a'],
  ['nobody takes anything', facts([node('o', 0, { state: 'draining' })]), undefined],
];

describe('Where a viewer goes when', () => {
  for (const [name, given, expected] of CASES) {
    test(name, () => assert.equal(choosePlayNode(given, () => 0)?.id, expected));
  }
});
