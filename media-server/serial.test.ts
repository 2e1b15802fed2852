import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MillraceError } from '../core/protocol/error.ts';
import { KeyedSerial } from './serial.ts';

describe('Operations of a keyed serial:', () => {
  test('those of one key run in order, each after the one before has ended', async () => {
    const serial = new KeyedSerial(8);
    const seen: string[] = [];
    const operation = (name: string) => async () => {
      seen.push(`${name} begins`);
      await new Promise(setImmediate);
      seen.push(`${name} ends`);
    };
    await Promise.all([serial.run('k', operation('a')), serial.run('k', operation('b'))]);
    assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends']);
  });

  test('those of another key do not wait', async () => {
    const serial = new KeyedSerial(8);
    const { promise, resolve } = Promise.withResolvers<void>();
    const stuck = serial.run('a', () => promise);
    assert.equal(await serial.run('b', async () => 1), 1);
    resolve();
    await stuck;
  });

  test('a failure is the caller’s own: the next one runs', async () => {
    const serial = new KeyedSerial(8);
    const failing = serial.run('k', async () => Promise.reject(new Error('mine')));
    const next = serial.run('k', async () => 'fine');
    await assert.rejects(failing, /mine/);
    assert.equal(await next, 'fine');
  });

  test('a key whose queue is full refuses further ones', async () => {
    const serial = new KeyedSerial(1);
    const { promise, resolve } = Promise.withResolvers<void>();
    const running = serial.run('k', () => promise);
    const waiting = serial.run('k', async () => {});
    await assert.rejects(
      serial.run('k', async () => {}),
      (error: unknown) => error instanceof MillraceError && error.errorName === 'too_many',
    );
    resolve();
    await Promise.all([running, waiting]);
    await serial.run('k', async () => {});
  });

  test('a key is forgotten when it has nothing to do', async () => {
    const serial = new KeyedSerial(1);
    const running = serial.run('k', async () => {});
    assert.ok(serial.has('k'));
    assert.deepEqual(serial.keys(), ['k']);
    await running;
    assert.ok(!serial.has('k'));
  });
});
