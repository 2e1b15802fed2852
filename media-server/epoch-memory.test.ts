import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamName } from '../core/protocol/stream-name.ts';
import { EpochMemory } from './epoch-memory.ts';

const name = (text: string) => text as StreamName;

test('The highest epoch of a stream is remembered', () => {
  const memory = new EpochMemory();
  assert.equal(memory.lastOf(name('a')), 0);
  memory.saw(name('a'), 5);
  memory.saw(name('a'), 3);
  assert.equal(memory.lastOf(name('a')), 5);
});

test('Of very many streams those are forgotten that were not seen for longest', () => {
  const memory = new EpochMemory();
  memory.saw(name('first'), 1);
  memory.saw(name('second'), 1);
  for (let index = 0; index < 9_998; index++) memory.saw(name(`n${index}`), 1);
  memory.saw(name('first'), 2);
  memory.saw(name('one more'), 1);
  assert.equal(memory.lastOf(name('first')), 2);
  assert.equal(memory.lastOf(name('second')), 0);
});
