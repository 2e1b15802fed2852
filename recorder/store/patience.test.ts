import assert from 'node:assert/strict';
import { describe, mock, type TestContext, test } from 'node:test';
import { MillraceError } from '../../core/protocol/error.ts';
import { SimulatedProcess, SimulatedStorage } from './harness/simulated-storage.ts';
import { silent } from './harness/trial.ts';
import { Patience, Stopped } from './patience.ts';

const away = async () => {
  throw new MillraceError('storage_unavailable', 'away');
};
const never = () => new Promise<never>(() => {});

/** All that is ready happens. */
const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
};

function trial(t: TestContext, probe: () => Promise<undefined> = async () => undefined) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const pauses: number[] = [];
  const abort = new AbortController();
  t.after(() => abort.abort());
  const head = mock.fn(probe);
  const { objects } = new SimulatedProcess(new SimulatedStorage(() => 0, 1));
  const patience = new Patience({
    objects: { ...objects, head },
    log: silent,
    signal: abort.signal,
    sleep: async (ms) => {
      pauses.push(ms);
      await new Promise(setImmediate);
    },
  });
  return { patience, pauses, abort, head, tick: (ms: number) => t.mock.timers.tick(ms) };
}

describe('Patience', () => {
  test('calls until it succeeds, with growing pauses and deadlines', async (t) => {
    const { patience, pauses } = trial(t);
    const deadlines: number[] = [];
    const result = await patience.until('call', 0, async (timeoutMs) => {
      deadlines.push(timeoutMs);
      return deadlines.length === 3 ? 'done' : away();
    });
    assert.equal(result, 'done');
    assert.deepEqual(deadlines, [4000, 8000, 16_000]);
    assert.deepEqual(pauses, [100, 200]);
    assert.deepEqual([patience.failures, patience.lastFailure], [2, undefined]);
  });

  test('passes on what is no failure of storage', async (t) => {
    const { patience } = trial(t);
    await assert.rejects(
      patience.until('call', 0, async () => {
        throw new RangeError('mine');
      }),
      RangeError,
    );
  });

  test('is over when its signal comes, also for a call that hangs', async (t) => {
    const { patience, abort } = trial(t);
    const hanging = patience.until('call', 0, never);
    abort.abort();
    await assert.rejects(hanging, Stopped);
    await assert.rejects(
      patience.until('call', 0, async () => 'too late'),
      Stopped,
    );
  });

  test('asks with one small call whether storage is there, while others wait', async (t) => {
    let isThere = false;
    const { patience, head } = trial(t, async () => (isThere ? undefined : away()));
    const calls = mock.fn(async () => (isThere ? 'done' : away()));
    const all = Promise.all([1, 2, 3, 4, 5].map(() => patience.until('call', 0, calls)));
    await turns();
    const callsBefore = calls.mock.callCount();
    const probesBefore = head.mock.callCount();
    await turns();
    assert.equal(calls.mock.callCount(), callsBefore);
    assert.ok(head.mock.callCount() > probesBefore);
    assert.equal(patience.lastFailure, 'away');
    isThere = true;
    assert.deepEqual(await all, ['done', 'done', 'done', 'done', 'done']);
  });

  test('makes calls that hang again, when storage was away and is back', async (t) => {
    let isThere = false;
    const { patience, head, tick } = trial(t, async () => (isThere ? undefined : away()));
    const calls = mock.fn(async () => (isThere ? 'done' : never()));
    const hanging = patience.until('call', 0, calls);
    await turns();
    tick(3000);
    await turns();
    assert.ok(head.mock.callCount() > 1);
    assert.equal(calls.mock.callCount(), 1);
    isThere = true;
    assert.equal(await hanging, 'done');
    assert.equal(calls.mock.callCount(), 2);
  });

  test('leaves a slow call alone while storage answers others', async (t) => {
    const { patience, head, tick } = trial(t);
    const slow = mock.fn(never);
    void patience.until('slow', 0, slow).catch(() => {});
    await turns();
    tick(3000);
    await turns();
    assert.equal(head.mock.callCount(), 1);
    assert.equal(slow.mock.callCount(), 1);
  });

  test('knows when nothing is under way any more, also of what nobody waits for', async (t) => {
    const { patience, abort } = trial(t);
    const { promise, resolve } = Promise.withResolvers<void>();
    const call = patience.until('call', 0, () => promise);
    await turns();
    abort.abort();
    await assert.rejects(call, Stopped);
    let idle = false;
    const waiting = patience.idle().then(() => {
      idle = true;
    });
    await turns();
    assert.equal(idle, false);
    resolve();
    await waiting;
  });
});
