import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RedisFacts } from '../../adapters/registry/redis/examination.ts';
import { judgeRedis } from './redis.ts';

const GOOD: RedisFacts = {
  place: 'cache:6379',
  version: 'Redis 7.0.15',
  latencyMs: { median: 0.31, longest: 2 },
  memory: { maxBytes: 0, policy: 'noeviction' },
};
const MIB = 1024 ** 2;

describe('The doctor on Redis:', () => {
  const cases: readonly (readonly [string, RedisFacts | undefined, string, RegExp])[] = [
    ['without one', undefined, 'info', /MILLRACE_REDIS is not set/],
    ['as it should be', GOOD, 'ok', /^cache:6379 is Redis 7\.0\.15, and does .*; a call takes 0\.3 ms$/],
    ['Valkey', { ...GOOD, version: 'Valkey 8.1.0' }, 'ok', /is Valkey 8\.1\.0/],
    [
      'of a version before sharded channels',
      { ...GOOD, version: 'Redis 6.2.14' },
      'wrong',
      /is Redis 6\.2\.14/,
    ],
    [
      'some way off',
      { ...GOOD, latencyMs: { median: 120, longest: 300 } },
      'warning',
      /takes 120 ms, 300 ms at most/,
    ],
    ['too far off', { ...GOOD, latencyMs: { median: 600, longest: 800 } }, 'wrong', /takes 600 ms/],
    [
      'that may throw keys away',
      { ...GOOD, memory: { maxBytes: 64 * MIB, policy: 'allkeys-lru' } },
      'warning',
      /when its 64 MiB are full/,
    ],
    [
      'that would, had it a limit',
      { ...GOOD, memory: { maxBytes: 0, policy: 'allkeys-lru' } },
      'ok',
      /does what/,
    ],
    [
      'that throws away only what may expire',
      { ...GOOD, memory: { maxBytes: MIB, policy: 'volatile-lru' } },
      'ok',
      /does what/,
    ],
    ['whose memory is not told', { place: 'a', version: 'Redis 8.0.0' }, 'ok', /does what/],
  ];
  for (const [what, facts, level, seen] of cases) {
    test(`${what} is ${level}`, () => {
      const [judged, ...more] = judgeRedis(facts);
      assert.equal(judged?.level, level);
      assert.match(judged.seen, seen);
      assert.deepEqual(more, []);
    });
  }
});
