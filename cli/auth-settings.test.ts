import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseArguments } from './arguments.ts';
import { type Mistake, SettingsError } from './mistake.ts';
import { readSettings } from './read-settings.ts';
import { settingsListing } from './settings-listing.ts';

const KEY = 'correct horse battery staple, in full';
const NETWORK = { MILLRACE_LISTEN: '0.0.0.0:8443' };

function read(env: Readonly<Record<string, string>>, flags: readonly string[] = []) {
  return readSettings(parseArguments(flags), env);
}

function mistakes(env: Readonly<Record<string, string>>, flags: readonly string[] = []): readonly Mistake[] {
  try {
    read(env, flags);
  } catch (error) {
    if (error instanceof SettingsError) return error.mistakes;
    throw error;
  }
  return [];
}

describe('settings of authorisation', () => {
  const good: readonly (readonly [what: string, env: Readonly<Record<string, string>>])[] = [
    ['a secret lets the network in', { ...NETWORK, MILLRACE_AUTH_KEY: KEY }],
    ['a file of keys lets the network in', { ...NETWORK, MILLRACE_AUTH_KEY_FILE: import.meta.filename }],
    [
      'a provider lets the network in',
      { ...NETWORK, MILLRACE_AUTH_JWKS_URL: 'https://login.example.org/keys' },
    ],
    ['a provider on this machine may speak http', { MILLRACE_AUTH_JWKS_URL: 'http://127.0.0.1:8000/keys' }],
    ['a provider on ::1 may, too', { MILLRACE_AUTH_JWKS_URL: 'http://[::1]:8000/keys' }],
    [
      'issuer and audience go with a key',
      { MILLRACE_AUTH_KEY: KEY, MILLRACE_AUTH_ISSUER: 'i', MILLRACE_AUTH_AUDIENCE: 'a' },
    ],
  ];
  for (const [what, env] of good) {
    it(`are right: ${what}`, () => assert.deepEqual(mistakes(env), []));
  }

  const bad: readonly (readonly [what: string, env: Readonly<Record<string, string>>, wrong: RegExp])[] = [
    ['the network without a key', NETWORK, /Set MILLRACE_AUTH_KEY .* MILLRACE_AUTH=off/],
    ['a short secret', { MILLRACE_AUTH_KEY: 'x'.repeat(31) }, /31 bytes long; at least 32/],
    [
      'a public key as a secret',
      { MILLRACE_AUTH_KEY: `-----BEGIN PUBLIC KEY-----\n${KEY}` },
      /MILLRACE_AUTH_KEY_FILE/,
    ],
    ['a JWK as a secret', { MILLRACE_AUTH_KEY: `{"kty": "oct", "k": "${KEY}"}` }, /MILLRACE_AUTH_KEY_FILE/],
    ['no such file', { MILLRACE_AUTH_KEY_FILE: '/nowhere/keys.pem' }, /no such file/],
    ['a provider over http', { MILLRACE_AUTH_JWKS_URL: 'http://login.example.org/keys' }, /https is needed/],
    [
      'a provider with a password',
      { MILLRACE_AUTH_JWKS_URL: 'https://u:p@login.example.org/' },
      /no password/,
    ],
    ['a provider that is no address', { MILLRACE_AUTH_JWKS_URL: 'login.example.org' }, /not an address/],
    ['another scheme', { MILLRACE_AUTH_JWKS_URL: 'file:///etc/keys' }, /not an address/],
    [
      'two sources of keys',
      { MILLRACE_AUTH_KEY: KEY, MILLRACE_AUTH_JWKS_URL: 'https://login.example.org/keys' },
      /two sources of keys; choose one/,
    ],
    [
      'a key, and off',
      { MILLRACE_AUTH_KEY: KEY, MILLRACE_AUTH: 'off' },
      /authorisation is off and has a key/,
    ],
    [
      'a hook beside a key',
      { MILLRACE_AUTH_KEY: KEY, MILLRACE_AUTH_URL: 'https://app.example.org/' },
      /two sources of keys; choose one/,
    ],
    ['a hook without TLS', { MILLRACE_AUTH_URL: 'http://app.example.org/' }, /https is needed/],
    [
      'a list of revoked tokens without a key',
      { MILLRACE_AUTH_REVOKED_FILE: import.meta.filename },
      /no token/,
    ],
    ['an issuer without a key', { MILLRACE_AUTH_ISSUER: 'i' }, /no token is checked without a key/],
    ['an audience with off', { MILLRACE_AUTH_AUDIENCE: 'a', MILLRACE_AUTH: 'off' }, /no token is checked/],
  ];
  for (const [what, env, wrong] of bad) {
    it(`are wrong: ${what}`, () => {
      const found = mistakes(env);
      assert.equal(found.length, 1, JSON.stringify(found));
      assert.match(found[0]?.wrong ?? '', wrong);
    });
  }
});

describe('a secret', () => {
  it('is shown by no mistake, wherever it was written', () => {
    const hidden = 'Zq9-secret';
    const given: readonly (readonly [Readonly<Record<string, string>>, readonly string[]])[] = [
      [{ MILLRACE_AUTH_KEY: hidden }, []],
      [{}, ['--auth-key', hidden]],
      [{}, [`--auth-key=${hidden}`, `--auth-key=${hidden}`]],
      [{}, [`--auth-kye=${hidden}`]],
      [{ MILLRACE_AUTH_KYE: hidden, MILLRACE_AUTH_SECRET: hidden }, []],
      [{ MILLRACE_AUTH_KEY: KEY + hidden, MILLRACE_AUTH: 'off' }, []],
    ];
    for (const [env, flags] of given) {
      const found = mistakes(env, flags);
      assert.ok(found.length > 0);
      assert.equal(JSON.stringify(found).includes(hidden), false, JSON.stringify(found));
    }
    for (const name of ['auth_key', 'auth_kye']) {
      const file = JSON.stringify({ [name]: hidden });
      assert.throws(
        () => readSettings(parseArguments(['--config', 'f']), {}, () => file),
        (error) => error instanceof SettingsError && !error.message.includes(hidden),
      );
    }
  });

  it('is not listed', () => {
    const listing = settingsListing(read({ MILLRACE_AUTH_KEY: KEY }));
    assert.match(listing, /^# MILLRACE_AUTH_KEY is set, and not shown {3}# environment$/m);
    assert.equal(listing.includes(KEY), false);
  });
});
