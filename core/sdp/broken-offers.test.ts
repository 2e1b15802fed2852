import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tryOffer } from './offers/fuzz.ts';
import { ALL_CODECS, offerNames, readOffer } from './offers/model.ts';

for (const name of offerNames().filter((name) => name.startsWith('broken-'))) {
  test(`${name} does no harm any more`, () => {
    const text = readOffer(name);
    for (const turn of ALL_CODECS.keys()) assert.equal(tryOffer(text, turn).why, undefined);
  });
}
