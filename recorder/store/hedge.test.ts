import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Hedge } from './hedge.ts';

const yes = () => true;
const never = () => new Promise<never>(() => {});

test('A call that is answered is made once', async () => {
  let calls = 0;
  const hedge = new Hedge(() => 0);
  assert.equal(await hedge.call(async () => ++calls, yes), 1);
  assert.equal(calls, 1);
});

test('A call that is not answered is made again, once, and the first answer counts', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const make = mock.fn<() => Promise<string>>(never);
  const hedge = new Hedge(() => 0);
  const answer = hedge.call(make, yes);
  t.mock.timers.tick(999);
  assert.equal(make.mock.callCount(), 1);
  make.mock.mockImplementation(async () => 'second');
  t.mock.timers.tick(1);
  assert.equal(await answer, 'second');
  t.mock.timers.tick(100_000);
  assert.equal(make.mock.callCount(), 2);
});

test('Where storage is slow, a call may take longer before it is made again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 0;
  const hedge = new Hedge(() => nowMs);
  for (let call = 0; call < 50; call++) {
    await hedge.call(async () => {
      nowMs += 2000;
    }, yes);
  }
  const make = mock.fn(never);
  void hedge.call(make, yes);
  t.mock.timers.tick(9000);
  assert.equal(make.mock.callCount(), 1);
  t.mock.timers.tick(1100);
  assert.equal(make.mock.callCount(), 2);
});

test('A call that fails before it is made again has failed; one that was made again has when both have', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const hedge = new Hedge(() => 0);
  await assert.rejects(
    hedge.call(async () => {
      throw new Error('at once');
    }, yes),
    /at once/,
  );
  const failures: ((error: Error) => void)[] = [];
  const both = hedge.call(() => new Promise<never>((_, reject) => failures.push(reject)), yes);
  t.mock.timers.tick(1000);
  failures[0]?.(new Error('first'));
  await Promise.resolve();
  failures[1]?.(new Error('second'));
  await assert.rejects(both, /second/);
});

test('A call that may not be made again is waited for', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const make = mock.fn(never);
  void new Hedge(() => 0).call(make, () => false);
  t.mock.timers.tick(100_000);
  assert.equal(make.mock.callCount(), 1);
});
