import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meter } from './meter.ts';

test('A meter tells by how much each total grew', () => {
  const meter = new Meter();
  assert.deepEqual(
    [meter.growth('a', 5), meter.growth('b', 2), meter.growth('a', 9), meter.growth('a', 9)],
    [5, 2, 4, 0],
  );
});

test('A total that shrank began anew', () => {
  const meter = new Meter();
  meter.growth('a', 100);
  assert.equal(meter.growth('a', 3), 3);
  assert.equal(meter.growth('a', 4), 1);
});
