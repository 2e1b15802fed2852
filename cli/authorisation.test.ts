import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { parseArguments } from './arguments.ts';
import { createAuthorisation } from './authorisation.ts';
import { readSettings } from './read-settings.ts';
import { StartError } from './start-error.ts';

function authorisation(t: TestContext, env: Readonly<Record<string, string>>) {
  const { settings } = readSettings(parseArguments([]), env, () => '');
  const made = createAuthorisation(settings, pino({ enabled: false }));
  t.after(() => made.close());
  return made.authoriser;
}

function listOf(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-revoked-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'revoked'), content);
  return join(folder, 'revoked');
}

test('MILLRACE_AUTH_URL decides, and the list of revoked tokens counts for what it says too', async (t) => {
  const server = createServer((_request, response) => {
    response.end(JSON.stringify({ sub: 'alice', exp: Math.floor(Date.now() / 1000) + 60 }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const identity = await authorisation(t, { MILLRACE_AUTH_URL: url }).identify('anything');
  assert.equal(identity.subject, 'alice');
  const env = { MILLRACE_AUTH_URL: url, MILLRACE_AUTH_REVOKED_FILE: listOf(t, 'sub alice') };
  await assert.rejects(authorisation(t, env).identify('anything'), { errorName: 'token_revoked' });
  server.closeAllConnections();
});

test('a list of revoked tokens that cannot be read ends the start', (t) => {
  const env = { MILLRACE_AUTH_KEY: 'k'.repeat(32), MILLRACE_AUTH_REVOKED_FILE: listOf(t, 'alice') };
  assert.throws(
    () => authorisation(t, env),
    (error) => error instanceof StartError && /line 1 is neither/.test(error.message),
  );
});
