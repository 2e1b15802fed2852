import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareByCodePoint } from './order.ts';

test('Texts are ordered as their UTF-8 bytes are', () => {
  const text = fc.string({ unit: 'binary', maxLength: 6 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      assert.equal(Math.sign(compareByCodePoint(a, b)), bytes);
    }),
    { numRuns: 5000 },
  );
});

test('An emoji comes behind the private use characters, though its first unit is smaller', () => {
  assert.ok(compareByCodePoint('\u{1f600}', '\ue000') > 0);
});
