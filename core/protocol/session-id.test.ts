import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { MillraceError } from './error.ts';
import { newSessionId, parseSessionId, publicSessionId } from './session-id.ts';

test('a new id has 128 bits in 22 characters and is read back as itself', () => {
  assert.equal(
    newSessionId((count) => new Uint8Array(count)),
    'AAAAAAAAAAAAAAAAAAAAAA',
  );
  for (let round = 0; round < 100; round += 1) {
    const id = newSessionId(randomBytes);
    assert.equal(parseSessionId(id), id);
  }
});

for (const value of ['', 'x', 'A'.repeat(21), 'A'.repeat(23), '!'.repeat(22), 'A'.repeat(100_000)]) {
  test(`a string of ${value.length} characters like ${value.slice(0, 5)} is an unknown session`, () => {
    assert.throws(
      () => parseSessionId(value),
      (error) =>
        error instanceof MillraceError && error.errorName === 'unknown_session' && error.message.length < 200,
    );
  });
}

test('the public id is the beginning of the SHA-256 of the id', () => {
  const id = parseSessionId('AAECAwQFBgcICQoLDA0ODw');
  // printf AAECAwQFBgcICQoLDA0ODw | sha256sum | cut -c1-16
  assert.equal(publicSessionId(id), '5d2611d5a4dd2b40');
});
