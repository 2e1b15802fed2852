import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError, type SessionId, type StreamName } from '../protocol/index.ts';
import { isWhipPath, parseWhipPath, whipPath } from './target.ts';

const SESSION = 'q7Yw0mJc2SxPzT4nVhLd8A' as SessionId;

test('endpoints and sessions are read from their paths, and written as they are read', () => {
  assert.deepEqual(parseWhipPath('/whip/a%2Fb%20%C3%A9'), { role: 'publish', stream: 'a/b é' });
  for (const [role, name] of [
    ['publish', 'camera'],
    ['play', 'a/b é?#%'],
    ['play', '..'],
  ] as const) {
    const stream = name as StreamName;
    assert.deepEqual(parseWhipPath(whipPath(role, stream, SESSION)), { role, stream, session: SESSION });
  }
});

test('only these paths are WHIP and WHEP', () => {
  assert.deepEqual(['/whip', '/whip/a', '/whep/a/b', '/whipped', '/api', '/whop/a'].map(isWhipPath), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
  assert.equal(parseWhipPath('/whip/a/b/c'), undefined);
});

for (const [path, name] of [
  ['/whip', 'missing_field'],
  ['/whip/', 'missing_field'],
  ['/whip/%', 'invalid_field'],
  ['/whip/%00', 'invalid_field'],
  ['/whip/a/short', 'unknown_session'],
  ['/whip/a/', 'unknown_session'],
] as const) {
  test(`${path} is refused as ${name}`, () => {
    assert.throws(
      () => parseWhipPath(path),
      (error) => error instanceof MillraceError && error.errorName === name,
    );
  });
}
