import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamName } from '../core/protocol/index.ts';
import { StreamSerial } from './stream-serial.ts';

const [A, B] = ['a', 'b'] as StreamName[] as [StreamName, StreamName];

test('work on one stream starts when the work before it is over, even if that failed', async () => {
  const serial = new StreamSerial();
  const log: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = serial.run(A, async () => {
    await gate.promise;
    log.push('first');
    throw new Error('first failed');
  });
  const second = serial.run(A, async () => log.push('second'));
  await serial.run(B, async () => log.push('other stream'));
  gate.resolve();
  await assert.rejects(first, /first failed/);
  await second;
  assert.deepEqual(log, ['other stream', 'first', 'second']);
});
