import assert from 'node:assert/strict';
import { test } from 'node:test';
import { iceServersFor } from './ice-servers.ts';

const NOW_MS = Date.UTC(2026, 2, 1);
const SETTINGS = {
  urls: ['stun:a.example', 'turn:b.example:3478?transport=udp', 'turns:b.example'],
  turnSecret: 'a secret that coturn knows too',
  turnTtlMs: 3_600_000,
};

test('TURN servers come with a username that says when it expires, and the password that follows from it', () => {
  // The password: printf %s 1772326800:alice | openssl dgst -sha1 -hmac 'a secret that coturn knows too' -binary | base64
  assert.deepEqual(iceServersFor(SETTINGS, 'alice', NOW_MS), [
    { urls: ['stun:a.example'] },
    {
      urls: ['turn:b.example:3478?transport=udp', 'turns:b.example'],
      username: '1772326800:alice',
      credential: 'wcOtcU5wl81lpbzJmAU3EReGNmo=',
    },
  ]);
});

test('STUN servers alone need no credentials', () => {
  const settings = { urls: ['stun:a.example', 'stuns:a.example'], turnTtlMs: 1000 };
  assert.deepEqual(iceServersFor(settings, 'alice', NOW_MS), [{ urls: settings.urls }]);
});

test('no servers are an empty list', () => {
  assert.deepEqual(iceServersFor({ urls: [], turnTtlMs: 1000 }, 'alice', NOW_MS), []);
});
