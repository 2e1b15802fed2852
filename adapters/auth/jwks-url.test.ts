import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { MillraceError } from '../../core/protocol/index.ts';
import { newSigner, recordingLog, type Signer, sign } from './harness/signers.ts';
import { type JwksTimes, JwksUrl } from './jwks-url.ts';
import { TokenAuthoriser } from './token-authoriser.ts';

/** A provider on loopback, whose answer a test changes. */
async function provider(t: TestContext, answer: RequestListener) {
  const state = { answer, requests: 0 };
  const server = createServer((request, response) => {
    state.requests += 1;
    state.answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return Object.assign(state, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys` });
}

const serving =
  (...signers: readonly Signer[]): RequestListener =>
  (_request, response) => {
    response.end(JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));
  };

function open(t: TestContext, url: string, times: Partial<JwksTimes> = {}) {
  const { records, log } = recordingLog();
  const clock = { ms: 0 };
  const keys = new JwksUrl({ url, log, now: () => clock.ms, times: { retryMs: 3_600_000, ...times } });
  t.after(() => keys.close());
  const authoriser = new TokenAuthoriser(keys, { expiryRequired: true }, Date.now);
  const outcome = async (signer: Signer, header = {}): Promise<string> => {
    try {
      return (await authoriser.identify(await sign(signer, {}, header))).subject;
    } catch (error) {
      return error instanceof MillraceError ? error.errorName : String(error);
    }
  };
  return {
    keys,
    clock,
    outcome,
    logged: (text: string) => records.filter(({ msg }) => String(msg).includes(text)),
  };
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 5000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited 5 s until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const one = newSigner('ES256', 'one');
const two = newSigner('RS256', 'two');
const secret = newSigner('HS256', 'three');

test('the first token waits for the first answer, and all others go by it', async (t) => {
  const server = await provider(t, serving(one, two));
  const { outcome } = open(t, server.url);
  assert.deepEqual(await Promise.all([one, two, one].map((signer) => outcome(signer))), [
    'alice',
    'alice',
    'alice',
  ]);
  assert.equal(server.requests, 1);
});

test('a rotated key is fetched when a token names it, and one that is gone is no more trusted', async (t) => {
  const server = await provider(t, serving(one));
  const { outcome, clock } = open(t, server.url, { cooldownMs: 1000 });
  assert.equal(await outcome(one), 'alice');
  server.answer = serving(two);
  clock.ms += 1000;
  assert.equal(await outcome(two), 'alice');
  assert.equal(await outcome(one), 'token_invalid');
  assert.equal(server.requests, 2);
});

test('however many tokens name unknown keys, the provider is asked once in the cool-down', async (t) => {
  const server = await provider(t, serving(one));
  const { outcome, clock } = open(t, server.url, { cooldownMs: 1000 });
  assert.equal(await outcome(one), 'alice');
  const flood = () =>
    Promise.all(Array.from({ length: 50 }, (_, index) => outcome(two, { kid: `made up ${index}` })));
  assert.deepEqual(new Set(await flood()), new Set(['token_invalid']));
  assert.equal(server.requests, 1);
  clock.ms += 1000;
  await flood();
  assert.equal(server.requests, 2);
  clock.ms += 999;
  await flood();
  assert.equal(server.requests, 2);
});

test('keys are fetched anew by and by, without anybody waiting for it', async (t) => {
  const server = await provider(t, serving(one));
  const { outcome } = open(t, server.url, { refreshMs: 10 });
  assert.equal(await outcome(one), 'alice');
  server.answer = serving(two);
  await until('the former key is gone', async () => (await outcome(one)) === 'token_invalid');
  assert.equal(await outcome(two), 'alice');
});

const FAILURES: Readonly<Record<string, RequestListener>> = {
  'answers with an error': (_request, response) => response.writeHead(500).end('{"keys": []}'),
  'answers with something else': (_request, response) => response.end('<html>Log in, please</html>'),
  'answers with no key': serving(),
  'answers with a secret': serving(secret),
  'cuts the answer off': (_request, response) => {
    response.writeHead(200, { 'Content-Length': 1000 }).write('{"keys": [');
    response.socket?.destroy();
  },
  'never answers': () => undefined,
  'answers too slowly': (_request, response) => {
    const timer = setInterval(() => response.write(' '), 10);
    response.on('close', () => clearInterval(timer));
  },
  'answers too much': (_request, response) => {
    const write = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
    };
    response.on('drain', write);
    write();
  },
  'sends elsewhere': (_request, response) => response.writeHead(302, { Location: '/elsewhere' }).end(),
};

for (const [what, answer] of Object.entries(FAILURES)) {
  test(`while the provider ${what}, the last keys stay in use, and it is said once`, async (t) => {
    const server = await provider(t, serving(one));
    // Only who is slow may be too slow, however busy the machine is.
    const timeoutMs = /never|slowly/.test(what) ? 100 : 10_000;
    const { outcome, logged } = open(t, server.url, { refreshMs: 10, retryMs: 10, timeoutMs });
    assert.equal(await outcome(one), 'alice');
    server.answer = answer;
    const before = server.requests;
    await until('it was asked again and again', () => server.requests >= before + 3);
    assert.equal(await outcome(one), 'alice');
    assert.equal(logged('the former stay').length, 1);
    server.answer = serving(two);
    await until('its new keys are there', async () => (await outcome(two)) === 'alice');
    assert.equal(logged('fetched').filter(({ level }) => level === 30).length, 2);
  });
}

test('until the first keys are there tokens cannot be checked, and it is tried again', async (t) => {
  const server = await provider(t, (_request, response) => response.writeHead(503).end());
  const { outcome, logged } = open(t, server.url, { retryMs: 20 });
  assert.equal(await outcome(one), 'authorisation_unavailable');
  assert.equal(logged('no token can be checked').length, 1);
  server.answer = serving(one);
  await until('it is there', async () => (await outcome(one)) === 'alice');
});

test('a provider that hangs holds up nobody longer than its time-out, and is asked by one request', async (t) => {
  const server = await provider(t, () => undefined);
  const { outcome } = open(t, server.url, { timeoutMs: 100 });
  const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(one)));
  assert.deepEqual(new Set(outcomes), new Set(['authorisation_unavailable']));
  assert.equal(server.requests, 1);
});

test('a token that names a secret asks the provider for nothing', async (t) => {
  const server = await provider(t, serving(one, secret));
  const { outcome, clock } = open(t, server.url);
  assert.equal(await outcome(one), 'alice');
  clock.ms += 3_600_000;
  assert.equal(await outcome(secret), 'token_invalid');
  assert.equal(server.requests, 1);
});

test('once closed it asks no more', async (t) => {
  const server = await provider(t, serving(one));
  const { outcome, keys, clock } = open(t, server.url, { refreshMs: 5 });
  assert.equal(await outcome(one), 'alice');
  keys.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { requests } = server;
  clock.ms += 3_600_000;
  assert.equal(await outcome(two), 'token_invalid');
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(server.requests, requests);
});
