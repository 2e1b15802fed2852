import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { WebSocket as WsWebSocket } from 'ws';
import { FakeServer } from '../harness/fake-server.ts';
import { sessionSettings } from '../harness/session-settings.ts';
import { systemClock } from './clock.ts';
import { ERROR_CODES } from './error-code.ts';
import { Session, type SessionSettings } from './session.ts';

let server: FakeServer;
const sessions: Session[] = [];

beforeEach(async () => {
  server = await FakeServer.start();
});
afterEach(async () => {
  for (const session of sessions.splice(0)) session.close();
  await server.stop();
});

function open(changes: Partial<SessionSettings> = {}): Session {
  const session = new Session(sessionSettings(server.url, changes));
  sessions.push(session);
  return session;
}

function names(session: Session): string[] {
  const seen: string[] = [];
  session.on('state', (state) => seen.push(state));
  session.on('resumed', () => seen.push('resumed'));
  session.on('restarted', () => seen.push('restarted'));
  session.on('closed', (error) => seen.push(`closed: ${error?.errorName ?? 'by owner'}`));
  return seen;
}

test('A request that was made before the connection stands is sent once it does, with an empty session', async () => {
  const session = open();
  await session.request('stream.close', 'a', {});
  const [close] = server.of('stream.close');
  assert.equal(close?.version, '1.0');
  assert.equal(close?.session, '');
});

test('Requests carry the session that the first reply named', async () => {
  const session = open();
  await session.request('stream.close', 'a', {});
  await session.request('stream.close', 'b', {});
  assert.equal(server.of('stream.close')[1]?.session, 'session-1');
});

test('Requests are sent in the order in which they were made, and replies matched by id in any order', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.answer = async ({ stream }) => {
    if (stream === 'slow') await held;
    return { data: { of: stream } };
  };
  const session = open();
  const slow = session.request('stream.close', 'slow', {});
  const quick = await session.request('stream.close', 'quick', {});
  assert.deepEqual(quick, { of: 'quick' });
  release();
  assert.deepEqual(await slow, { of: 'slow' });
  assert.deepEqual(
    server.of('stream.close').map(({ stream }) => stream),
    ['slow', 'quick'],
  );
});

test("A refused request rejects with the server's code, name and words", async () => {
  server.answer = ({ method }) => (method === 'stream.play' ? { err: ERROR_CODES.stream_not_found } : {});
  await assert.rejects(open().request('stream.play', 'a', {}), {
    errorName: 'stream_not_found',
    code: 40402,
    message: 'refused with 40402',
  });
});

test('A request without reply rejects at its deadline', async () => {
  server.answer = ({ method }) => (method === 'stream.play' ? null : {});
  const session = open();
  await session.request('stream.close', 'a', {});
  await assert.rejects(session.request('stream.play', 'a', {}, 50), { errorName: 'no_reply' });
});

test('A request without connection rejects at its deadline', async () => {
  await server.stop();
  await assert.rejects(open().request('stream.play', 'a', {}, 50), { errorName: 'disconnected' });
});

test('More requests than the bound are refused at once', async () => {
  server.answer = () => null;
  const session = open({ maxPending: 2, requestTimeoutMs: 60_000 });
  const kept = [session.request('stream.close', 'a', {}), session.request('stream.close', 'b', {})];
  await assert.rejects(session.request('stream.close', 'c', {}), { errorName: 'queue_full' });
  session.close();
  assert.deepEqual(
    (await Promise.allSettled(kept)).map(({ status }) => status),
    ['rejected', 'rejected'],
  );
});

test('After a lost connection the next one takes the session over with its first request', async () => {
  const session = open();
  const seen = names(session);
  await session.request('stream.close', 'a', {});
  server.drop(1006);
  await server.until(() => seen.includes('resumed'));
  const first = server.requests.find(({ connection }) => connection === 1);
  assert.equal(first?.method, 'stream.heartbeat');
  assert.equal(first?.session, 'session-1');
  assert.deepEqual(seen, ['connected', 'reconnecting', 'connected', 'resumed']);
});

test('A request that the lost connection took along is sent again on the next one', async () => {
  server.answer = ({ method, connection }) => (method === 'stream.mute' && connection === 0 ? null : {});
  const session = open();
  const muted = session.request('stream.mute', 'a', { audio: true });
  await server.until(() => server.of('stream.mute').length === 1);
  server.drop(1006);
  await muted;
  assert.equal(server.of('stream.mute')[1]?.connection, 1);
});

test('Other requests wait until the session is taken over', async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.answer = async ({ connection }) => {
    if (connection === 1) await held;
    return {};
  };
  const session = open();
  await session.request('stream.close', 'a', {});
  server.drop(1006);
  const waiting = session.request('stream.close', 'b', {});
  await server.until(() => server.requests.some(({ connection }) => connection === 1));
  assert.deepEqual(
    server.requests.filter(({ connection }) => connection === 1).map(({ method }) => method),
    ['stream.heartbeat'],
  );
  release();
  await waiting;
});

test('A session that the server no longer knows is begun anew', async () => {
  const session = open();
  const seen = names(session);
  await session.request('stream.close', 'a', {});
  server.session = 'session-2';
  server.answer = (request) => (request.session === 'session-1' ? { err: ERROR_CODES.unknown_session } : {});
  server.drop(1012);
  await server.until(() => seen.includes('restarted'));
  await session.request('stream.close', 'b', {});
  await session.request('stream.close', 'c', {});
  assert.equal(server.of('stream.close').at(-1)?.session, 'session-2');
  assert.equal(session.state, 'connected');
});

test('What was asked of a session that is lost meanwhile is not asked of the next one', async () => {
  const session = open();
  await session.request('stream.close', 'a', {});
  server.answer = () => null;
  const asked = session.request('stream.mute', 'a', {});
  await server.until(() => server.of('stream.mute').length === 1);
  server.session = 'session-2';
  server.answer = (request) => (request.session === 'session-1' ? { err: ERROR_CODES.unknown_session } : {});
  server.drop(1012);
  await assert.rejects(asked, { errorName: 'unknown_session' });
  await session.request('stream.close', 'b', {});
  assert.equal(server.of('stream.mute').length, 1);
});

test('A session that was lost while connected is begun anew, and what was asked in it rejects', async () => {
  const session = open();
  const seen = names(session);
  await session.request('stream.close', 'a', {});
  server.answer = ({ session }) => (session === 'session-1' ? { err: ERROR_CODES.unknown_session } : {});
  await assert.rejects(session.request('stream.mute', 'a', {}), { errorName: 'unknown_session' });
  assert.ok(seen.includes('restarted'));
  await session.request('stream.close', 'a', {});
});

const refusals: readonly [code: number, error: string][] = [
  [1008, 'not_authorised'],
  [1009, 'disconnected'],
  [4001, 'session_taken_over'],
  [4003, 'disconnected'],
  [4004, 'disconnected'],
];
for (const [code, error] of refusals) {
  test(`Close code ${code} ends the session for good with ${error}`, async () => {
    const session = open();
    const seen = names(session);
    await session.request('stream.close', 'a', {});
    server.drop(code, 'because');
    await server.until(() => session.state === 'closed');
    assert.deepEqual(seen.slice(-2), ['closed', `closed: ${error}`]);
    await assert.rejects(session.request('stream.close', 'a', {}), { errorName: 'closed' });
    assert.equal(server.connections, 1);
  });
}

for (const code of [1001, 1006, 1012, 4002, 4005]) {
  test(`After close code ${code} the session is resumed`, async () => {
    const session = open();
    const seen = names(session);
    await session.request('stream.close', 'a', {});
    server.drop(code);
    await server.until(() => seen.includes('resumed'));
    assert.equal(server.connections, 2);
  });
}

test('A session that another connection took over is not fought for', async () => {
  const session = open();
  await session.request('stream.close', 'a', {});
  server.answer = () => ({ err: ERROR_CODES.session_taken_over });
  server.drop(1006);
  await server.until(() => session.state === 'closed');
  assert.equal(server.connections, 2);
});

test('Heartbeats are sent at their interval, and a connection that does not answer one is replaced', async () => {
  server.answer = ({ connection }) =>
    connection === 0 && server.of('stream.heartbeat').length > 2 ? null : {};
  const session = open({ heartbeatMs: 40 });
  const seen = names(session);
  await server.until(() => seen.includes('resumed'));
  assert.ok(server.of('stream.heartbeat').filter(({ connection }) => connection === 0).length >= 3);
});

test('Attempts to connect are spaced by growing delays, less chance, up to the cap', async () => {
  const { url } = server;
  await server.stop();
  const delays: number[] = [];
  const clock = {
    ...systemClock,
    after(delayMs: number, run: () => void) {
      if (delayMs !== 2000) delays.push(delayMs);
      return systemClock.after(delayMs === 2000 ? delayMs : 0, run);
    },
  };
  const session = new Session(
    sessionSettings(url, { clock, random: () => 0.5, backoff: { baseMs: 100, capMs: 500 } }),
  );
  sessions.push(session);
  await server.until(() => delays.length >= 5);
  assert.deepEqual(delays.slice(0, 5), [50, 100, 200, 250, 250]);
});

test('A token is asked for before each connection and goes with every request', async () => {
  let asked = 0;
  const session = open({ token: async () => `token-${++asked}` });
  await session.request('stream.close', 'a', {});
  server.drop(1006);
  await server.until(() => server.connections === 2);
  await session.request('stream.close', 'b', {});
  assert.deepEqual(
    server.of('stream.close').map(({ token }) => token),
    ['token-1', 'token-2'],
  );
});

test('A token that is about to expire is renewed by a heartbeat', async () => {
  let asked = 0;
  const session = open({ token: async () => `token-${++asked}` });
  await session.request('stream.close', 'a', {});
  server.event('session.expiring', '');
  await server.until(() => server.of('stream.heartbeat').some(({ data }) => data.token === 'token-2'));
});

test('A probe sends a heartbeat at once, or ends the wait for the next attempt', async () => {
  const session = open({ backoff: { baseMs: 600_000, capMs: 600_000 } });
  const seen = names(session);
  await session.request('stream.close', 'a', {});
  const before = server.of('stream.heartbeat').length;
  session.probe();
  await server.until(() => server.of('stream.heartbeat').length > before);
  server.drop(1006);
  await server.until(() => session.state === 'reconnecting');
  session.probe();
  await server.until(() => seen.includes('resumed'));
});

test('An event of a later version is passed on, and disturbs nothing', async () => {
  const session = open();
  await session.request('stream.close', 'a', {});
  const events: string[] = [];
  session.on('message', ({ method }) => events.push(method));
  server.event('stream.someday', 'a');
  await server.until(() => events.includes('stream.someday'));
  await session.request('stream.close', 'b', {});
});

test('Closing rejects what waits, ends the connection, and is silent when repeated', async () => {
  server.answer = () => null;
  const session = open();
  const seen = names(session);
  const waiting = session.request('stream.close', 'a', {});
  await server.until(() => server.of('stream.close').length === 1);
  session.close();
  session.close();
  await assert.rejects(waiting, { errorName: 'closed' });
  assert.deepEqual(seen, ['connected', 'closed', 'closed: by owner']);
});

test('The WebSocket of the package ws serves where there is none', async () => {
  const session = open({ WebSocket: WsWebSocket });
  await session.request('stream.close', 'a', {});
  server.drop(1006);
  await server.until(() => server.connections === 2 && session.state === 'connected');
});
