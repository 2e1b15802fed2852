import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostTrusted, originAllowed } from './origin.ts';

const LAN = '192.0.2.7';
const LOOPBACK = '127.0.0.1';

const cases: readonly [string, string | undefined, string, string, readonly string[], boolean][] = [
  ['no origin: not a page', undefined, 'any.example', LAN, [], true],
  ['the same host and port', 'https://media.example:8443', 'media.example:8443', LAN, [], true],
  ['the default port left out', 'https://media.example', 'media.example', LAN, [], true],
  ['another case', 'https://Media.Example', 'media.example', LAN, [], true],
  ['another port', 'https://media.example:444', 'media.example', LAN, [], false],
  ['another host', 'https://evil.example', 'media.example', LAN, [], false],
  ['an opaque origin', 'null', 'media.example', LAN, [], false],
  ['a listed origin', 'https://app.example', 'media.example', LAN, ['https://app.example/'], true],
  ['its plain sister', 'http://app.example', 'media.example', LAN, ['https://app.example'], false],
  ['an opaque one, listed', 'null', 'media.example', LAN, ['null'], true],
  ['all', 'https://evil.example', 'localhost', LOOPBACK, ['*'], true],
  ['localhost', 'http://localhost:8080', 'localhost:8080', LOOPBACK, [], true],
  ['a loopback address', 'http://127.0.0.1:8080', '127.0.0.1:8080', LOOPBACK, [], true],
  ['a loopback IPv6 address', 'http://[::1]:8080', '[::1]:8080', '::1', [], true],
  ['a name pointed at loopback', 'http://evil.example', 'evil.example', LOOPBACK, [], false],
  ['the same over a mapped address', 'http://evil.example', 'evil.example', '::ffff:127.0.0.1', [], false],
  ['such a name, listed', 'https://a.example', 'a.example', LOOPBACK, ['https://a.example'], true],
];

for (const [sentence, origin, host, localAddress, allowed, expected] of cases) {
  test(`${sentence}: ${expected ? 'allowed' : 'refused'}`, () => {
    assert.equal(originAllowed({ origin, host, localAddress }, allowed), expected);
  });
}

test('on loopback only names that mean this machine, or are listed, are trusted', () => {
  const trusted = (host: string, allowed: readonly string[] = []) =>
    hostTrusted({ origin: undefined, host, localAddress: LOOPBACK }, allowed);
  assert.equal(trusted('localhost:1'), true);
  assert.equal(trusted('app.localhost'), true);
  assert.equal(trusted('10.0.0.1:1'), true);
  assert.equal(trusted('evil.example'), false);
  assert.equal(trusted('localhost.evil.example'), false);
  assert.equal(trusted('app.example', ['https://app.example']), true);
});
