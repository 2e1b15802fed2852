import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { newSigner } from '../adapters/auth/harness/signers.ts';
import type { StreamName } from '../core/protocol/index.ts';
import { parseArguments } from './arguments.ts';
import { createAuthorisation } from './authorisation.ts';
import { createLog } from './log.ts';
import { SettingsError } from './mistake.ts';
import { readSettings } from './read-settings.ts';
import { StartError } from './start-error.ts';
import { makeToken } from './token-command.ts';

const KEY = { MILLRACE_AUTH_KEY: 'correct horse battery staple, in full' };
const ROOM = 'room-1' as StreamName;

function settingsAndFlags(flags: readonly string[], env: Readonly<Record<string, string>> = KEY) {
  const args = parseArguments(['token', ...flags]);
  return { args, settings: readSettings(args, env).settings };
}

async function make(flags: readonly string[], env: Readonly<Record<string, string>> = KEY) {
  const { args, settings } = settingsAndFlags(flags, env);
  const made = await makeToken(args.tokenFlags, settings, Date.now());
  const { authoriser, close } = createAuthorisation(settings, createLog('fatal', 'json'));
  try {
    return { ...made, identity: await authoriser.identify(made.token) };
  } finally {
    close();
  }
}

function folder(t: { after(clean: () => void): void }): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-token-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('a token is made that the server with the same settings takes', async () => {
  const before = Date.now();
  const { identity, summary } = await make([
    '--subject',
    'alice',
    '--publish',
    'room-*',
    '--publish=lobby',
    '--play=*',
  ]);
  assert.equal(identity.subject, 'alice');
  assert.ok(Math.abs((identity.expiresAtMs ?? 0) - before - 3_600_000) < 10_000, 'an hour');
  assert.deepEqual(
    (['publish', 'play', 'record', 'admin'] as const).filter((permission) => identity.may(permission, ROOM)),
    ['publish', 'play'],
  );
  assert.equal(identity.may('publish', 'lobby' as StreamName), true);
  assert.equal(identity.may('publish', 'other' as StreamName), false);
  assert.match(
    summary,
    /^for "alice" until 20\d\d-.*Z: \{"publish":\["room-\*","lobby"\],"play":\["\*"\]\}$/,
  );
});

test('admin is of streams, or with true of the server', async () => {
  const ofRooms = await make(['--subject', 'a', '--admin', 'room-*']);
  assert.deepEqual([ofRooms.identity.may('admin', ROOM), ofRooms.identity.may('admin')], [true, false]);
  assert.equal((await make(['--subject', 'a', '--admin', 'true'])).identity.may('admin'), true);
});

test('it names issuer and audience where the server asks for them', async () => {
  const env = { ...KEY, MILLRACE_AUTH_ISSUER: 'https://issuer.example', MILLRACE_AUTH_AUDIENCE: 'millrace' };
  assert.ok((await make(['--subject', 'a', '--play', '*'], env)).identity);
});

test('a secret in a file signs, as a line or as a JWK', async (t) => {
  const path = join(folder(t), 'key');
  const secret = newSigner('HS256', 'id-1');
  for (const content of [
    `${secret.content}\n`,
    JSON.stringify({ keys: [newSigner('ES256').jwk, secret.jwk] }),
  ]) {
    writeFileSync(path, content);
    assert.ok((await make(['--subject', 'a', '--play', '*'], { MILLRACE_AUTH_KEY_FILE: path })).identity);
  }
});

test('what cannot be signed or would be refused is said', async (t) => {
  const path = join(folder(t), 'key.pem');
  writeFileSync(path, newSigner('ES256').content);
  const cases: readonly (readonly [
    flags: readonly string[],
    message: RegExp,
    env?: Readonly<Record<string, string>>,
  ])[] = [
    [['--play', '*'], /--subject is missing/],
    [['--subject', 'a'], /it would allow nothing/],
    [['--subject', 'a', '--play', 'b\\'], /ends in a backslash/],
    [['--subject', 'a', '--play', '*', '--ttl', 'forever'], /--ttl forever is not a time from 1s to 87600h/],
    [['--subject', 'a', '--play', '*'], /no key to sign it with/, {}],
    [['--subject', 'a', '--play', '*'], /authorisation is off/, { MILLRACE_AUTH: 'off' }],
    [['--subject', 'a', '--play', '*'], /public keys only/, { MILLRACE_AUTH_KEY_FILE: path }],
    [
      ['--subject', 'a', '--play', '*'],
      /provider/,
      { MILLRACE_AUTH_JWKS_URL: 'https://login.example.org/keys' },
    ],
  ];
  for (const [flags, message, env] of cases) {
    await assert.rejects(make(flags, env), (error) => {
      assert.ok(error instanceof StartError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }
});

test('its flags belong to it alone, and what can be said once is said once', () => {
  assert.throws(() => settingsAndFlags(['--subject', 'a', '--subject', 'b']), /given twice/);
  assert.throws(() => settingsAndFlags(['--subjekt', 'a']), /did you mean --subject\?/);
  assert.throws(
    () => readSettings(parseArguments(['--subject', 'a']), {}),
    (error) => error instanceof SettingsError && /no such flag/.test(error.message),
  );
});

test('a file of keys that is of no use ends the start with its name and the reason', (t) => {
  const path = join(folder(t), 'key');
  writeFileSync(path, 'short');
  const { settings } = settingsAndFlags([], { MILLRACE_AUTH_KEY_FILE: path });
  assert.throws(
    () => createAuthorisation(settings, createLog('fatal', 'json')),
    (error) => error instanceof StartError && error.message.includes(path) && /5 bytes/.test(error.message),
  );
});
