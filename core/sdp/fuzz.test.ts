import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from './offers/fuzz.ts';

/**
 * `MILLRACE_FUZZ_OFFERS` and `MILLRACE_FUZZ_SEED` try more, and others; test/sdp-fuzz.test.ts tries 100,000.
 */
const count = Number(process.env.MILLRACE_FUZZ_OFFERS ?? 2000);
const seed = Number(process.env.MILLRACE_FUZZ_SEED ?? 1);

test(`of ${count} mutated offers each is answered by the rules or refused with a reason, in bounded time`, (context) => {
  const { failures, published, played, longestMs } = fuzz(seed, count);
  context.diagnostic(`${published} published, ${played} played, longest ${longestMs.toFixed(1)} ms`);
  assert.deepEqual(failures, []);
  assert.ok(published > count / 20, `${published} of ${count} could be published`);
  assert.ok(played > count / 20, `${played} of ${count} could be played`);
  assert.ok(longestMs < 1000, `the slowest took ${longestMs} ms`);
});
