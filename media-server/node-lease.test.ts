import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { pino } from 'pino';
import { MillraceError } from '../core/protocol/error.ts';
import type { NodeId, NodeRecord } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';
import { NodeLease } from './node-lease.ts';

const NODE: NodeRecord = {
  id: 'n' as NodeId,
  address: 'local',
  version: '1',
  state: 'ready',
  load: 0,
  streams: 0,
  viewers: 0,
};

function lease(answers: readonly (boolean | Error)[]) {
  const seen = { announced: 0, renewed: 0, fenced: 0 };
  const registry: Pick<Registry, 'announceNode'> = {
    announceNode: async () => {
      const answer = answers[seen.announced++] ?? true;
      if (answer instanceof Error) throw answer;
      return answer;
    },
  };
  const made = new NodeLease({
    registry: registry as Registry,
    describe: () => NODE,
    afterRenewal: async () => void seen.renewed++,
    onFenced: () => void seen.fenced++,
    log: pino({ level: 'silent' }),
  });
  return { made, seen };
}

async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    mock.timers.tick(1000);
    await new Promise(setImmediate);
  }
}

describe('The lease of a node', () => {
  test('is renewed each second until it is stopped', async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    const { made, seen } = lease([]);
    await made.start();
    await pass(4);
    made.stop();
    await pass(3);
    assert.deepEqual(seen, { announced: 5, renewed: 5, fenced: 0 });
  });

  test('outlives a registry out of reach, at the start as well', async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    const away = new MillraceError('registry_unavailable', 'away');
    const { made, seen } = lease([away, away, true]);
    await made.start();
    await pass(3);
    made.stop();
    assert.deepEqual(seen, { announced: 4, renewed: 2, fenced: 0 });
  });

  test('ends when the registry refuses it: a fenced incarnation never returns', async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] });
    t.after(() => mock.timers.reset());
    const { made, seen } = lease([true, false]);
    await made.start();
    await pass(5);
    assert.deepEqual(seen, { announced: 2, renewed: 1, fenced: 1 });
  });
});
