import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Recent } from './recent.ts';

test('The entries set last are remembered, the oldest is forgotten first', () => {
  const recent = new Recent<string, number>(2);
  for (const [index, key] of ['a', 'b', 'c'].entries()) recent.set(key, index);
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => recent.get(key)),
    [undefined, 1, 2],
  );
});

test('An entry that is set again is the newest', () => {
  const recent = new Recent<string, number>(2);
  for (const [index, key] of ['a', 'b', 'a', 'c'].entries()) recent.set(key, index);
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => recent.get(key)),
    [2, undefined, 3],
  );
});
