import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bitrateLimit } from './bitrate-limit.ts';

describe('The limit of a publisher is', () => {
  const settings = { defaultBitrateBps: 2_000_000, maxBitrateBps: 5_000_000 };
  const cases: readonly [string, number | undefined, number][] = [
    ['what it asks for', 300_000, 300_000],
    ['the server’s when it asks for more', 2 ** 64 - 1, 5_000_000],
    ['the default when it asks for nothing', undefined, 2_000_000],
    ['the default when it asks for 0', 0, 2_000_000],
  ];
  for (const [name, wanted, expected] of cases) {
    test(name, () => assert.equal(bitrateLimit(wanted, settings), expected));
  }

  test('the server’s when that has no default', () => {
    assert.equal(bitrateLimit(0, { ...settings, defaultBitrateBps: 0 }), 5_000_000);
  });
});
