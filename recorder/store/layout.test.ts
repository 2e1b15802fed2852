import assert from 'node:assert/strict';
import { test } from 'node:test';
import { specOf } from './harness/trial.ts';
import { checkpointKey, claimKey, doneKey, headKey, parseKey, specKey, tailKey } from './layout.ts';

const { id } = specOf();

test('Every key is understood', () => {
  const inFile = { id, file: 12 };
  const cases = [
    [specKey(id), { kind: 'spec', id }],
    [doneKey(id, 12), { kind: 'done', ...inFile }],
    [claimKey(id, 12, 65_537), { kind: 'claim', ...inFile, epoch: 65_537 }],
    [headKey(id, 12, 65_537), { kind: 'head', ...inFile, epoch: 65_537 }],
    [tailKey(id, 12, 65_537, 345), { kind: 'tail', ...inFile, epoch: 65_537, n: 345 }],
    [checkpointKey(id, 12, 65_537, 345), { kind: 'checkpoint', ...inFile, epoch: 65_537, n: 345 }],
  ] as const;
  for (const [key, parsed] of cases) assert.deepEqual(parseKey(key), parsed, key);
});

test('Keys are in the order of their numbers', () => {
  const tails = [1, 2, 9, 10, 11, 99_999].map((n) => tailKey(id, 0, 65_536, n));
  assert.deepEqual(tails.toSorted(), tails);
  const epochs = [65_536, 131_072, 9_999_999, 2 ** 40].map((epoch) => claimKey(id, 0, epoch));
  assert.deepEqual(epochs.toSorted(), epochs);
});

for (const key of [
  'live/a.webm',
  '.millrace/',
  '.millrace/x/spec.json',
  `.millrace/${id}`,
  `.millrace/${id}/spec.json/x`,
  `.millrace/${id}/0/done.json`,
  `.millrace/${id}/000000/claims/1`,
  `${tailKey(id, 0, 1, 1)}.tmp`,
  `${tailKey(id, 0, 1, 1)}/x`,
  `.millrace/.store/${id}`,
]) {
  test(`${key} is nobody's`, () => assert.equal(parseKey(key), undefined));
}
