import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NodeEntry, NodeId } from '../registry/record.ts';
import { choosePublishNode } from './node.ts';

const id = (name: string) => name as NodeId;

function node(name: string, load: number, more: Partial<NodeEntry> = {}): NodeEntry {
  return {
    id: id(name),
    address: name,
    version: '1',
    state: 'ready',
    load,
    streams: 0,
    viewers: 0,
    suspect: false,
    ...more,
  };
}

const suspect = { suspect: true };
const draining = { state: 'draining' } as const;

/** A random source that repeats these numbers. */
function sequence(...numbers: readonly number[]): () => number {
  let next = 0;
  return () => numbers[next++ % numbers.length] ?? 0;
}

describe('A publish goes to', () => {
  const cases: readonly [string, readonly NodeEntry[], string | undefined][] = [
    ['nothing when there is no node', [], undefined],
    [
      'nothing when every node drains or is suspect',
      [node('a', 0, draining), node('b', 0, suspect)],
      undefined,
    ],
    ['the only node, full as it may be', [node('a', 1)], 'a'],
    ['the least loaded node', [node('a', 0.5), node('b', 0.2), node('c', 0.9)], 'b'],
    ['a busier node rather than one that drains', [node('a', 0, draining), node('b', 0.9)], 'b'],
    ['a busier node rather than a suspect one', [node('a', 0, suspect), node('b', 0.9)], 'b'],
    [
      'the node with fewer streams where the loads are about equal',
      [node('a', 0.2, { streams: 4 }), node('b', 0.23, { streams: 3 })],
      'b',
    ],
    [
      'the node with fewer viewers where the streams are equal too',
      [node('a', 0.2, { streams: 3, viewers: 9 }), node('b', 0.2, { streams: 3, viewers: 8 })],
      'b',
    ],
    [
      'the less loaded node, whatever the streams, where the loads differ',
      [node('a', 0.2, { streams: 4 }), node('b', 0.3)],
      'a',
    ],
  ];
  for (const [name, nodes, expected] of cases) {
    test(name, () => {
      for (const random of [0, 0.3, 0.6, 0.999]) {
        assert.equal(choosePublishNode(nodes, () => random)?.id, expected);
      }
    });
  }

  test('one of the equally idle nodes, drawn by chance', () => {
    const nodes = [node('a', 0), node('b', 0), node('c', 0)];
    const drawn = [0, 0.4, 0.9].map((first) => choosePublishNode(nodes, sequence(first, 0))?.id);
    assert.deepEqual(drawn, ['a', 'b', 'c']);
  });

  test('every one of the idle nodes in a burst, before their loads are measured again', () => {
    const nodes = ['a', 'b', 'c', 'd', 'e'].map((name) => node(name, 0.1, { streams: 2 }));
    const counts = new Map<string, number>();
    for (let publish = 0; publish < 100; publish++) {
      const draw = sequence((publish % 10) / 10, Math.floor(publish / 10) / 10);
      const chosen = choosePublishNode(nodes, draw);
      counts.set(String(chosen?.id), (counts.get(String(chosen?.id)) ?? 0) + 1);
    }
    assert.deepEqual([...counts.values()], [20, 20, 20, 20, 20]);
  });
});
