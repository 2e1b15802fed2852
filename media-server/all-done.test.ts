import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allDone } from './all-done.ts';

test('a failure is thrown when the slower ones are done too', async () => {
  const slow = Promise.withResolvers<void>();
  let slowDone = false;
  const settled = allDone([
    Promise.reject(new Error('first')),
    slow.promise.then(() => {
      slowDone = true;
    }),
    Promise.reject(new Error('second')),
  ]).then(
    () => 'resolved',
    (error: Error) => `${error.message}, slow one done: ${slowDone}`,
  );
  assert.equal(
    await Promise.race([settled, new Promise((resolve) => setImmediate(resolve, 'waits'))]),
    'waits',
  );
  slow.resolve();
  assert.equal(await settled, 'first, slow one done: true');
});

test('nothing failed, nothing is thrown', async () => {
  await allDone([]);
  await allDone([Promise.resolve(1), Promise.resolve()]);
});
