import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { MillraceError, type StreamName } from '../../core/protocol/index.ts';
import { recordingLog } from './harness/signers.ts';
import { HookAuthoriser, type HookOptions } from './hook-authoriser.ts';

type Decide = (token: string, response: ServerResponse) => void;

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;
const allow: Decide = (token, response) => {
  response.end(JSON.stringify({ sub: token, exp: inAnHour(), millrace: { play: ['room-*'] } }));
};

/** An application on loopback that is asked, and whose answer a test changes. */
async function start(t: TestContext, decide: Decide, options: Partial<HookOptions> = {}) {
  const app = { decide, asked: [] as string[] };
  const server = createServer((request, response) => void onRequest(request, response));
  async function onRequest(request: IncomingMessage, response: ServerResponse) {
    assert.equal(request.method, 'POST');
    assert.equal(request.headers['content-type'], 'application/json');
    let body = '';
    for await (const chunk of request) body += chunk;
    const { token } = JSON.parse(body);
    app.asked.push(token);
    app.decide(token, response);
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    authoriser.close();
    server.close();
    server.closeAllConnections();
  });
  const clock = { ms: 0 };
  const { records, log } = recordingLog();
  const authoriser = new HookAuthoriser({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    rules: { expiryRequired: true },
    timeoutMs: 5000,
    cacheMs: 30_000,
    log,
    now: () => clock.ms,
    wallClock: Date.now,
    ...options,
  });
  const outcome = async (token: string | undefined): Promise<string> => {
    try {
      return (await authoriser.identify(token)).subject;
    } catch (error) {
      return error instanceof MillraceError ? error.errorName : String(error);
    }
  };
  return { app, authoriser, outcome, clock, records, server };
}

test('whom it names comes in, and may what it says', async (t) => {
  const { authoriser } = await start(t, allow);
  const identity = await authoriser.identify('alice');
  assert.equal(identity.subject, 'alice');
  assert.equal(identity.may('play', 'room-1' as StreamName), true);
  assert.equal(identity.may('publish', 'room-1' as StreamName), false);
  assert.ok((identity.expiresAtMs ?? 0) > Date.now());
});

test('a token that it refuses is invalid, and so are claims with a mistake', async (t) => {
  const { app, outcome } = await start(t, (_token, response) => response.writeHead(403).end());
  assert.equal(await outcome('a'), 'token_invalid');
  app.decide = (_token, response) => response.end('{"sub":"x"}');
  assert.equal(await outcome('b'), 'token_invalid');
  app.decide = (_token, response) => response.end('{"sub":"x","exp":1}');
  assert.equal(await outcome('c'), 'token_expired');
});

test('without a token it is not asked', async (t) => {
  const { app, outcome } = await start(t, allow);
  assert.equal(await outcome(undefined), 'token_invalid');
  assert.equal(await outcome(''), 'token_invalid');
  assert.equal(await outcome('x'.repeat(16_385)), 'token_invalid');
  assert.deepEqual(app.asked, []);
});

const USELESS: readonly (readonly [what: string, decide: Decide])[] = [
  ['an error', (_token, response) => response.writeHead(500).end()],
  ['what is not JSON', (_token, response) => response.end('yes')],
  ['more than it may', (_token, response) => response.end(`"${'x'.repeat(70_000)}"`)],
  ['a redirect', (_token, response) => response.writeHead(302, { Location: '/elsewhere' }).end()],
  ['nothing', () => undefined],
  ['the end of the connection', (_token, response) => void response.destroy()],
];

for (const [what, decide] of USELESS) {
  test(`while it answers with ${what} nobody gets in, and afterwards all is well`, async (t) => {
    const { app, outcome, records } = await start(t, decide, { timeoutMs: what === 'nothing' ? 100 : 5000 });
    assert.equal(await outcome('alice'), 'authorisation_unavailable');
    assert.equal(await outcome('alice'), 'authorisation_unavailable');
    app.decide = allow;
    // As after a pause: the time for an answer of a busy machine is no matter here.
    assert.equal(await outcome('alice'), 'alice');
    assert.equal(records.filter(({ level }) => level === 40).length, 1);
    assert.equal(JSON.stringify(records).includes('alice'), false);
  });
}

test('an answer counts for a while, a refusal too', async (t) => {
  const { app, outcome, clock } = await start(t, allow);
  await outcome('alice');
  clock.ms = 29_999;
  await outcome('alice');
  assert.deepEqual(app.asked, ['alice']);
  clock.ms = 30_000;
  app.decide = (_token, response) => response.writeHead(401).end();
  assert.equal(await outcome('alice'), 'token_invalid');
  app.decide = allow;
  assert.equal(await outcome('alice'), 'token_invalid');
  clock.ms = 60_000;
  assert.equal(await outcome('alice'), 'alice');
});

test('at most 64 questions are asked at once, and many about one token are one', async (t) => {
  const held: (() => void)[] = [];
  const { app, outcome } = await start(t, (token, response) => held.push(() => allow(token, response)), {
    timeoutMs: 30_000,
  });
  const answers = Promise.all([
    ...Array.from({ length: 200 }, (_, index) => outcome(`t${index}`)),
    ...Array.from({ length: 50 }, () => outcome('t0')),
  ]);
  const until = async (what: string, condition: () => boolean) => {
    const endMs = performance.now() + 20_000;
    while (!condition()) {
      if (performance.now() > endMs) throw new Error(`waited until ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await until('64 are asked', () => held.length === 64);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(held.length, 64);
  let done = false;
  const finished = answers.finally(() => {
    done = true;
  });
  while (!done) {
    for (const answer of held.splice(0)) answer();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(new Set(await finished).size, 200);
  assert.equal(app.asked.length, 200);
});
