import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from '../core/sdp/offers/fuzz.ts';

const ROUNDS = 10;
const OFFERS = 10_000;

/** Seeds apart from those of core/sdp/fuzz.test.ts; `MILLRACE_FUZZ_SEED` tries others. */
const firstSeed = Number(process.env.MILLRACE_FUZZ_SEED ?? 1000);

for (let seed = firstSeed; seed < firstSeed + ROUNDS; seed++) {
  test(`${OFFERS} mutated offers (seed ${seed}) are each answered by the rules or refused with a reason`, (context) => {
    const { failures, published, played, longestMs } = fuzz(seed, OFFERS);
    context.diagnostic(`${published} published, ${played} played, longest ${longestMs.toFixed(1)} ms`);
    assert.deepEqual(failures, []);
    assert.ok(longestMs < 2000, `the slowest took ${longestMs} ms`);
  });
}
