import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bytesOfSize, dateOf, floatOf, masterOf, textOf, uintOf, voidOf, writeSize } from './ebml.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('EBML elements:', () => {
  const cases: readonly [string, Uint8Array, string][] = [
    ['a number of one byte', uintOf(0xd7, 1), 'd78101'],
    ['zero, which has one byte too', uintOf(0xd7, 0), 'd78100'],
    ['a number of three bytes under an id of three', uintOf(0x2ad7b1, 1_000_000), '2ad7b1830f4240'],
    ['a number beyond 2^32', uintOf(0xf1, 2 ** 40 + 1), 'f186010000000001'],
    ['text', textOf(0x4282, 'webm'), '4282847765626d'],
    ['a float', floatOf(0x4489, 1.5), '4489883ff8000000000000'],
    ['the date that dates count from', dateOf(0x4461, 978_307_200_000), '4461880000000000000000'],
    ['a date a second before it', dateOf(0x4461, 978_307_199_000), '446188ffffffffc4653600'],
    ['an element with children', masterOf(0xbb, uintOf(0xb3, 5), uintOf(0xf7, 1)), 'bb86b38105f78101'],
    ['the smallest Void', voidOf(2), 'ec80'],
    ['a small Void', voidOf(8), 'ec86000000000000'],
    ['a Void with a size of 8 bytes', voidOf(10), 'ec010000000000000100'],
  ];
  for (const [name, bytes, expected] of cases)
    test(`${name} is written as RFC 8794 says`, () => assert.equal(hex(bytes), expected));

  test('every Void has the length asked for', () => {
    for (let bytes = 2; bytes < 300; bytes += 1) assert.equal(voidOf(bytes).length, bytes);
  });

  test('a size of all ones is avoided, as it means "unknown"', () => {
    assert.deepEqual([0, 126, 127, 16_382, 16_383, 2 ** 28 - 2].map(bytesOfSize), [1, 1, 2, 2, 3, 4]);
    const target = new Uint8Array(2);
    assert.equal(writeSize(target, 0, 127), 2);
    assert.equal(hex(target), '407f');
  });
});
