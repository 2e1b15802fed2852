import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRevocations } from './revocations.ts';

test('a list names single tokens and whole subjects', () => {
  const list = readRevocations('# left in March\n\njti 7f3a\r\nsub  alice of sales \n');
  assert.equal(list.size, 2);
  assert.equal(list.has('bob', '7f3a'), true);
  assert.equal(list.has('alice of sales', undefined), true);
  assert.equal(list.has('alice', '7f3'), false);
  assert.equal(list.has('7f3a', 'alice of sales'), false);
  assert.equal(readRevocations('').has('', undefined), false);
});

test('a line that is neither is named, and nothing is taken of such a list', () => {
  for (const line of ['alice', 'sub', 'jti ', 'subject alice', 'SUB alice']) {
    assert.throws(() => readRevocations(`sub bob\n${line}`), /line 2 is neither/);
  }
});
