import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamName } from '../core/protocol/index.ts';
import type { NodeId } from '../core/registry/record.ts';
import { EdgeDirectory } from './edge-directory.ts';

const [STREAM, ORIGIN, A, B] = ['s', 'o', 'a', 'b'] as readonly string[] as readonly [
  StreamName,
  NodeId,
  NodeId,
  NodeId,
];

function directory() {
  const state = { ms: 0, calls: 0, nodes: [A] as NodeId[] | undefined };
  const links = {
    async call() {
      state.calls++;
      if (!state.nodes) throw new Error('out of reach');
      return { nodes: state.nodes };
    },
  };
  return { state, edges: new EdgeDirectory(links as never, () => state.ms) };
}

test('the origin is asked once for many viewers, and again after a second', async () => {
  const { state, edges } = directory();
  assert.deepEqual(await Promise.all([edges.of(STREAM, ORIGIN), edges.of(STREAM, ORIGIN)]), [[A], [A]]);
  assert.deepEqual(await edges.of(STREAM, ORIGIN), [A]);
  assert.equal(state.calls, 1);
  state.ms = 1000;
  state.nodes = [B];
  assert.deepEqual(await edges.of(STREAM, ORIGIN), [B]);
});

test('a media server that was just chosen counts before the origin tells of it', async () => {
  const { edges } = directory();
  await edges.of(STREAM, ORIGIN);
  edges.chosen(STREAM, B);
  assert.deepEqual(await edges.of(STREAM, ORIGIN), [A, B]);
});

test('while the origin does not answer, what was known last holds', async () => {
  const { state, edges } = directory();
  await edges.of(STREAM, ORIGIN);
  state.ms = 1000;
  state.nodes = undefined;
  assert.deepEqual(await edges.of(STREAM, ORIGIN), [A]);
});
