import assert from 'node:assert/strict';
import { test } from 'node:test';
import { iceServerLinks } from './link.ts';

test('each URL of an ICE server is a link of its own, with its credentials where it needs them', () => {
  const links = iceServerLinks([
    { urls: ['stun:a.example'] },
    { urls: ['turn:b.example?transport=udp', 'turns:b.example'], username: '1:x', credential: 'p+/="\\' },
  ]);
  const login = 'username="1:x"; credential="p+/=\\"\\\\"; credential-type="password"';
  assert.equal(
    links,
    [
      '<stun:a.example>; rel="ice-server"',
      `<turn:b.example?transport=udp>; rel="ice-server"; ${login}`,
      `<turns:b.example>; rel="ice-server"; ${login}`,
    ].join(', '),
  );
});

test('without servers there is no header', () => {
  assert.equal(iceServerLinks([]), undefined);
});
