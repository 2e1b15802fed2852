import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { NO_PROGRESS } from '../../../core/recording/progress.ts';
import {
  claim,
  claimed,
  name,
  node,
  nodeId,
  recording,
  session,
} from '../../../core/registry/conformance-trial.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import { createMemoryRegistry } from './memory.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

const CYCLES = 10_000;
/** Less than what stays if each cycle leaves no more than a short name and a number. */
const MAX_GROWTH_BYTES = 200_000;

const cycles: readonly [string, (registry: Registry, index: number) => Promise<unknown>][] = [
  [
    'streams that were released',
    async (registry, index) => {
      const epoch = await claimed(registry, claim(`stream ${index}`, 'a'));
      await registry.releaseStream(name(`stream ${index}`), epoch);
    },
  ],
  [
    'sessions that ran out',
    async (registry, index) => {
      await registry.saveSession(session(`session ${index}`), 100);
    },
  ],
  [
    'nodes that were fenced',
    async (registry, index) => {
      await registry.announceNode(node(`node ${index}`));
      await registry.fenceNode(nodeId(`node ${index}`));
    },
  ],
  [
    'recordings that ended',
    async (registry, index) => {
      const { id, ...rest } = recording(`recording ${index}`);
      await registry.enterRecording({ id, ...rest }, 'host');
      await registry.takeRecording({ id, host: 'host', seen: 0 });
      await registry.saveRecording(id, 1, { ...NO_PROGRESS, state: 'completed' });
    },
  ],
  [
    'watches that were stopped',
    async (registry, index) => registry.watchStream(name(`stream ${index}`), () => {})(),
  ],
];

for (const [what, cycle] of cycles) {
  test(`Memory does not grow with ${what}`, async () => {
    let nowUs = 1_700_000_000_000_000;
    const registry = createMemoryRegistry({ nowUs: () => nowUs });
    const run = async (from: number) => {
      for (let index = from; index < from + CYCLES; index++) {
        await cycle(registry, index);
        nowUs += 10_000;
      }
    };
    const growths = [];
    await run(0); // what is remembered of the last ones is full by now
    for (const from of [CYCLES, 2 * CYCLES, 3 * CYCLES]) {
      const before = heapBytes();
      await run(from);
      growths.push(heapBytes() - before);
    }
    // What leaks grows each time; what the engine sets up for itself, once.
    const grown = Math.min(...growths);
    assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes more after another ${CYCLES} times`);
  });
}
