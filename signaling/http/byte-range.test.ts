import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestedRange } from './byte-range.ts';

const CASES: readonly [header: string | undefined, expected: ReturnType<typeof requestedRange>][] = [
  [undefined, 'whole'],
  ['', 'whole'],
  ['bytes=0-', { from: 0, to: 1000 }],
  ['bytes=0-0', { from: 0, to: 1 }],
  ['bytes=500-599', { from: 500, to: 600 }],
  ['bytes=999-', { from: 999, to: 1000 }],
  ['bytes=900-2000', { from: 900, to: 1000 }],
  ['bytes=-100', { from: 900, to: 1000 }],
  ['bytes=-5000', { from: 0, to: 1000 }],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=1000-', 'unsatisfiable'],
  ['bytes=5-4', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=0-1,4-5', 'whole'],
  ['bytes=a-b', 'whole'],
  ['items=0-1', 'whole'],
  ['bytes=99999999999999999999-', 'whole'],
];

test('One range is read as RFC 9110 says, and what cannot be read asks for everything', () => {
  for (const [header, expected] of CASES) {
    assert.deepEqual(requestedRange(header, 1000), expected, String(header));
  }
});

test('Of an empty file no range can be had', () => {
  assert.equal(requestedRange('bytes=0-', 0), 'unsatisfiable');
  assert.equal(requestedRange('bytes=-1', 0), 'unsatisfiable');
});
