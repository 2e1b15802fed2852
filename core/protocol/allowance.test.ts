import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Allowance } from './allowance.ts';

const settings = { capacity: 3, refillMs: 1000 };

const cases: readonly (readonly [string, readonly (readonly [number, boolean])[]])[] = [
  [
    'as many as the capacity at once, then no more',
    [
      [0, true],
      [0, true],
      [0, true],
      [0, false],
      [999, false],
    ],
  ],
  [
    'one more after each refill time',
    [
      [0, true],
      [0, true],
      [0, true],
      [1000, true],
      [1500, false],
      [2000, true],
    ],
  ],
  [
    'never more than the capacity, however long it waits',
    [
      [1e9, true],
      [1e9, true],
      [1e9, true],
      [1e9, false],
    ],
  ],
  [
    'any number that comes slower than the refill',
    [
      [0, true],
      [1000, true],
      [2000, true],
      [3000, true],
      [4000, true],
    ],
  ],
  [
    'nothing new from a clock that stands still',
    [
      [5, true],
      [5, true],
      [5, true],
      [5, false],
      [5, false],
    ],
  ],
];

for (const [what, spends] of cases) {
  test(`an allowance grants ${what}`, () => {
    const allowance = new Allowance(settings, 0);
    for (const [nowMs, granted] of spends) assert.equal(allowance.spend(nowMs), granted, `at ${nowMs} ms`);
  });
}

test('an allowance is spent by what something costs, and not at all by what it cannot pay', () => {
  const allowance = new Allowance(settings, 0);
  assert.equal(allowance.spend(0, 2), true);
  assert.equal(allowance.spend(0, 2), false);
  assert.equal(allowance.spend(0, 1), true);
});

test('what costs more than the capacity is granted by a full allowance, and empties it', () => {
  const allowance = new Allowance(settings, 0);
  assert.equal(allowance.spend(0, 16), true);
  assert.equal(allowance.spend(0), false);
  assert.equal(allowance.spend(2999, 16), false);
  assert.equal(allowance.spend(3000, 16), true);
});

test('an allowance of nothing grants nothing', () => {
  assert.equal(new Allowance({ capacity: 0, refillMs: 1 }, 0).spend(1e6), false);
});
