import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pace } from './pace.ts';

const PART = 5 * 1024 * 1024;

test('Before anything is known a slow way is allowed for, and ever more time with each attempt', () => {
  const pace = new Pace();
  assert.equal(pace.timeoutFor(0, 0), 4000);
  assert.equal(pace.timeoutFor(16_000, 0), 5000);
  assert.equal(pace.timeoutFor(16_000, 1), 10_000);
  assert.equal(pace.timeoutFor(PART, 0), 4000 + PART / 16);
  assert.equal(pace.timeoutFor(PART, 100), 600_000);
});

test('Where storage is quick, what hangs is given up soon', () => {
  const pace = new Pace();
  for (let call = 0; call < 50; call++) pace.took(PART, 100);
  assert.ok(pace.timeoutFor(PART, 0) < 5000);
});

test('Where it becomes slow, calls get the time that they are seen to need', () => {
  const pace = new Pace();
  for (let call = 0; call < 50; call++) pace.took(PART, 100);
  pace.failed(PART, 5000);
  assert.ok(pace.timeoutFor(PART, 0) > 40_000);
});

test('Small calls say nothing of how long large ones take', () => {
  const pace = new Pace();
  pace.took(100, 1000);
  pace.failed(100, 1000);
  assert.equal(pace.timeoutFor(PART, 0), 4000 + PART / 16);
});
