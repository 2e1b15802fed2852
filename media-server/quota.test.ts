import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MillraceError } from '../core/protocol/error.ts';
import { Quota } from './quota.ts';

describe('A quota', () => {
  test('is refused when it is used up, and says which and how many', () => {
    const quota = new Quota('viewers', 2, 'MILLRACE_MAX_VIEWERS');
    quota.take();
    quota.take();
    assert.throws(
      () => quota.take(),
      (error: unknown) =>
        error instanceof MillraceError &&
        error.errorName === 'too_many' &&
        /too many viewers.* 2; .*MILLRACE_MAX_VIEWERS/.test(error.message),
    );
  });

  test('takes a place back once', () => {
    const quota = new Quota('streams', 1, 'MILLRACE_MAX_STREAMS');
    const giveBack = quota.take();
    giveBack();
    giveBack();
    quota.take();
    assert.throws(() => quota.take());
    assert.equal(quota.taken, 1);
  });
});
