import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MillraceError } from '../core/protocol/error.ts';
import { withDeadline } from './deadline.ts';

describe('Work with a deadline', () => {
  test('gives its result in time', async () => {
    assert.equal(await withDeadline('work', 1000, Promise.resolve(7)), 7);
  });

  test('fails as itself', async () => {
    await assert.rejects(withDeadline('work', 1000, Promise.reject(new Error('own'))), /own/);
  });

  test('times out, and says what took how long', async () => {
    await assert.rejects(
      withDeadline('the work', 5, new Promise(() => {})),
      (error: unknown) =>
        error instanceof MillraceError &&
        error.errorName === 'timed_out' &&
        /the work.*5 ms/.test(error.message),
    );
  });

  test('hands over a result that comes too late', async () => {
    const late = Promise.withResolvers<string>();
    const handed = Promise.withResolvers<string>();
    await assert.rejects(withDeadline('work', 5, late.promise, handed.resolve));
    late.resolve('result');
    assert.equal(await handed.promise, 'result');
  });

  test('keeps a result that comes in time to itself', async () => {
    const handed: string[] = [];
    await withDeadline('work', 1000, Promise.resolve('result'), (result) => handed.push(result));
    assert.deepEqual(handed, []);
  });
});
