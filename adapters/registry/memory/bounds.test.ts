import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { claim, claimed, name, node, nodeId, session } from '../../../core/registry/conformance-trial.ts';
import { createMemoryRegistry } from './memory.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

let nowUs = 1_700_000_000_000_000;
const registry = createMemoryRegistry({ nowUs: () => nowUs });

/** What one of each leaves behind if it is never forgotten is 100 bytes at the least. */
const CYCLES = 10_000;
const MAX_GROWTH_BYTES = 500_000;

const cycles: readonly [string, (index: number) => Promise<unknown>][] = [
  [
    'streams that were released',
    async (index) => {
      const epoch = await claimed(registry, claim(`stream ${index}`, 'a'));
      await registry.releaseStream(name(`stream ${index}`), epoch);
    },
  ],
  [
    'sessions that ran out',
    async (index) => {
      await registry.saveSession(session(`session ${index}`), 100);
      nowUs += 10_000;
    },
  ],
  [
    'nodes that were fenced',
    async (index) => {
      await registry.announceNode(node(`node ${index}`));
      await registry.fenceNode(nodeId(`node ${index}`));
    },
  ],
  ['watches that were stopped', async (index) => registry.watchStream(name(`stream ${index}`), () => {})()],
];

for (const [what, cycle] of cycles) {
  test(`Memory does not grow with ${what}`, async () => {
    const run = async (from: number) => {
      for (let index = from; index < from + CYCLES; index++) await cycle(index);
    };
    await run(0); // what is remembered of the last ones is full by now
    const before = heapBytes();
    await run(CYCLES);
    const grown = heapBytes() - before;
    assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes more after ${CYCLES} times`);
  });
}
