import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { MillraceError } from '../protocol/error.ts';
import { newRecordingId, parseRecordingId } from './recording-id.ts';

test('A new id has 128 bits in 32 digits and is read back as itself', () => {
  assert.equal(
    newRecordingId((count) => new Uint8Array(count)),
    '0'.repeat(32),
  );
  const id = newRecordingId(randomBytes);
  assert.equal(parseRecordingId(id), id);
});

for (const value of ['', 'x', '0'.repeat(31), '0'.repeat(33), 'A'.repeat(32), '../'.repeat(32)]) {
  test(`A string of ${value.length} characters like ${value.slice(0, 5)} is no recording's id`, () => {
    assert.throws(
      () => parseRecordingId(value),
      (error) => error instanceof MillraceError && error.errorName === 'recording_not_running',
    );
  });
}
