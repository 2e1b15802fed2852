import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { copyPlainData } from './plain-data.ts';

test('Plain data is copied as JSON would copy it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      assert.deepEqual(JSON.stringify(copyPlainData(value)), JSON.stringify(value));
    }),
  );
});

test('A copy shares nothing with its original', () => {
  const original = { list: [{ number: 1 }] };
  const copied = copyPlainData(original);
  assert.deepEqual(copied, original);
  assert.notEqual(copied.list[0], original.list[0]);
});

test('A field that is undefined is left out', () => {
  assert.deepEqual(Object.keys(copyPlainData({ there: 1, absent: undefined })), ['there']);
});

test('A field named __proto__ stays a field', () => {
  const hostile: unknown = JSON.parse('{"__proto__": {"admin": true}}');
  const copied = copyPlainData(hostile);
  assert.equal(JSON.stringify(copied), '{"__proto__":{"admin":true}}');
  assert.equal(Object.getPrototypeOf(copied), Object.prototype);
});

describe('What JSON would change is refused, and where it stood is said:', () => {
  const cases: readonly [string, unknown, RegExp][] = [
    ['a date', { at: new Date(0) }, /^TypeError: \.at is not plain data/],
    ['a map', [{ map: new Map() }], /^TypeError: \[0\]\.map is not/],
    ['a buffer', { bytes: Buffer.from('a') }, /\.bytes is not/],
    ['a function', { run: () => 1 }, /\.run is not/],
    ['NaN', { load: Number.NaN }, /\.load is not plain data: NaN/],
    ['infinity', { load: Number.POSITIVE_INFINITY }, /\.load is not plain data: Infinity/],
    ['a bigint', { bitrate: 1n }, /\.bitrate is not/],
    ['undefined in a list', [undefined], /\[0\] is not plain data: undefined/],
    ['undefined alone', undefined, /the value is not plain data/],
    ['an error', { failure: new Error('x') }, /\.failure is not/],
  ];
  for (const [name, value, message] of cases) {
    test(name, () => assert.throws(() => copyPlainData(value), message));
  }
});
