import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE_CODES, CLOSE_MEANINGS } from './close-code.ts';
import { ERROR_CODES, ERROR_TITLES, MillraceError, toMillraceError } from './error.ts';

const codes = Object.values(ERROR_CODES);

test('every error code is used once, grows down the table, and begins with an HTTP status of a failure', () => {
  assert.deepEqual(
    codes,
    [...new Set(codes)].sort((a, b) => a - b),
  );
  for (const code of codes) assert.ok(code >= 40_001 && code <= 50_499, String(code));
});

test('every error has a title of its own', () => {
  assert.deepEqual(Object.keys(ERROR_TITLES), Object.keys(ERROR_CODES));
  assert.equal(new Set(Object.values(ERROR_TITLES)).size, codes.length);
});

test('the HTTP status is the first three digits', () => {
  assert.equal(new MillraceError('stream_not_found', '').httpStatus, 404);
  assert.equal(new MillraceError('timed_out', '').httpStatus, 504);
});

test('what is not in the table is internal, and its own words stay out of the message', () => {
  const cause = new TypeError('secret');
  const error = toMillraceError(cause);
  assert.equal(error.errorName, 'internal');
  assert.equal(error.cause, cause);
  assert.equal(error.message.includes('secret'), false);
  assert.equal(toMillraceError(error), error);
});

test('every close code is used once, and its meaning fits into a close frame', () => {
  const closeCodes = Object.values(CLOSE_CODES);
  assert.equal(new Set(closeCodes).size, closeCodes.length);
  for (const meaning of Object.values(CLOSE_MEANINGS)) assert.ok(Buffer.byteLength(meaning) <= 123, meaning);
});
