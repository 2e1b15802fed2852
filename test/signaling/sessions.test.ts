import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openAuthoriser } from '../../core/auth/index.ts';
import { CLOSE_CODES, ERROR_CODES, type StreamName } from '../../core/protocol/index.ts';
import { until } from './client.ts';
import { startServer } from './server.ts';

const NAME = 'lobby' as StreamName;
const UNKNOWN = 'AAAAAAAAAAAAAAAAAAAAAA';

test('the first request gets a session, and every later reply of the connection repeats it', async (t) => {
  const { connect } = await startServer(t);
  const client = await connect();
  const { session } = await client.heartbeat();
  assert.match(session, /^[A-Za-z0-9_-]{22}$/);
  assert.equal((await client.play(NAME)).session, session);
  assert.equal((await client.play(NAME, 'offer', { session })).session, session);
  assert.equal((await client.play(NAME, 'offer', { session: undefined })).session, session);
});

test('a message that cannot be read assigns no session', async (t) => {
  const { connect } = await startServer(t);
  const client = await connect();
  client.socket.send('{');
  assert.equal((await client.next()).session, '');
});

test('an unknown session is refused, and the connection goes on with an empty one', async (t) => {
  const { connect } = await startServer(t);
  const client = await connect();
  const refused = await client.publish(NAME, 'offer', { session: UNKNOWN });
  assert.equal(refused.err, ERROR_CODES.unknown_session);
  assert.equal(refused.session, '');
  assert.deepEqual(refused.data, {});
  assert.equal((await client.publish(NAME)).err, 0);
});

test('a request with an earlier session takes it over: the older socket closes with 4001, media goes on', async (t) => {
  const { connect, media } = await startServer(t);
  const older = await connect();
  const { session } = await older.publish(NAME);
  const newer = await connect();
  const reply = await newer.request('stream.mute', NAME, { video: true }, { session });
  assert.equal(reply.err, 0, reply.err_msg);
  assert.equal(reply.session, session);
  assert.equal((await older.end()).code, CLOSE_CODES.session_taken_over);
  assert.equal(media.streams.get(NAME)?.session, session);
  assert.deepEqual(media.called('release'), []);
});

test('a session is resumed after its socket went, with all that it holds', async (t) => {
  const { connect, media, logs } = await startServer(t);
  const before = await connect();
  const { session } = await before.publish(NAME);
  before.socket.terminate();
  await until('it is detached', () => logs.some(({ msg }) => msg === 'session detached'));
  const after = await connect();
  assert.equal((await after.heartbeat({ session })).session, session);
  assert.equal((await after.request('stream.close', NAME)).err, 0);
  assert.equal(media.streams.has(NAME), false);
});

test('a session that is not resumed in time is released everywhere', async (t) => {
  const { connect, media, registry } = await startServer(t, { resumeMs: 80 });
  const client = await connect();
  const { session } = await client.publish(NAME);
  await client.leave();
  await until('it is released', () => media.called('release').some((call) => call.session === session));
  assert.equal(media.streams.has(NAME), false);
  await until('its record is gone', async () => (await registry.sessions({ limit: 10 })).length === 0);
  const again = await (await connect()).heartbeat({ session });
  assert.equal(again.err, ERROR_CODES.unknown_session);
});

test('while its client is connected a session lasts, however long it is silent', async (t) => {
  const { connect, registry } = await startServer(t, { resumeMs: 60, heartbeatTimeoutMs: 60 });
  const client = await connect();
  const { session } = await client.publish(NAME);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal((await client.request('stream.mute', NAME)).session, session);
  // Its record was renewed meanwhile, too.
  assert.equal((await registry.sessions({ limit: 10 })).length, 1);
});

test('once it has sent a heartbeat, a session that stops sending them is closed with 4002 and can be resumed', async (t) => {
  const { connect, media } = await startServer(t, { heartbeatTimeoutMs: 80 });
  const client = await connect();
  const { session } = await client.heartbeat();
  await client.publish(NAME);
  assert.equal((await client.end()).code, CLOSE_CODES.heartbeat_timeout);
  assert.equal(media.streams.has(NAME), true);
  const again = await connect();
  assert.equal((await again.heartbeat({ session })).err, 0);
  assert.equal((await again.end()).code, CLOSE_CODES.heartbeat_timeout);
});

test('heartbeats keep a session', async (t) => {
  const { connect } = await startServer(t, { heartbeatTimeoutMs: 150 });
  const client = await connect();
  const { session } = await client.heartbeat();
  const endMs = performance.now() + 500;
  while (performance.now() < endMs) {
    assert.equal((await client.heartbeat()).session, session);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
});

test('a client that answers no ping is disconnected, and one that answers stays', async (t) => {
  const { connect } = await startServer(t, { pingIntervalMs: 60 });
  const dead = await connect('', { autoPong: false });
  const alive = await connect();
  await dead.end();
  assert.equal((await alive.heartbeat()).err, 0);
});

test('a heartbeat may be the first request, and its stream is not checked', async (t) => {
  const { connect } = await startServer(t);
  const client = await connect();
  const reply = await client.request('stream.heartbeat', '\u0000 nonsense');
  assert.equal(reply.err, 0);
  assert.equal(reply.err_msg, 'succeed');
  assert.deepEqual(reply.data, {});
});

test('a connection that turns to another session leaves its own to be resumed', async (t) => {
  const { connect } = await startServer(t);
  const first = await connect();
  const a = (await first.publish('a')).session;
  await first.leave();
  const second = await connect();
  const b = (await second.publish('b')).session;
  assert.equal((await second.heartbeat({ session: a })).session, a);
  assert.equal((await second.request('stream.close', 'a')).err, 0);
  assert.equal((await (await connect()).request('stream.close', 'b', {}, { session: b })).err, 0);
});

test('the registry knows who is connected and what each session holds', async (t) => {
  const { connect, media, registry } = await startServer(t);
  const client = await connect('?events=1');
  const { session } = await client.publish(NAME);
  await client.play(NAME);
  const record = async () => (await registry.sessions({ limit: 10 }))[0];
  await until('both holds are written', async () => (await record())?.holds.length === 2);
  assert.deepEqual(await record(), {
    id: session,
    subject: '',
    livesBy: 'socket',
    signaling: 'signaling-1',
    epoch: 0,
    connected: true,
    events: true,
    holds: [
      { stream: NAME, role: 'publish', node: media.id },
      { stream: NAME, role: 'play', node: media.id },
    ],
  });
  await client.leave();
  await until('it is disconnected', async () => (await record())?.connected === false);
});

test('another signaling process adopts a session whose own process has ended', async (t) => {
  const first = await startServer(t);
  const before = await first.connect();
  const { session } = await before.publish(NAME);
  await before.play(NAME);
  const closed = first.signaling.close();
  assert.equal((await before.end()).code, CLOSE_CODES.service_restart);
  await closed;
  const second = await startServer(
    t,
    { name: 'signaling-2' },
    { registry: first.registry, media: first.media },
  );
  const after = await second.connect();
  const reply = await after.publish(NAME, 'new offer', { session });
  assert.equal(reply.err, 0, reply.err_msg);
  assert.equal(reply.session, session);
  const epochs = first.media.called('publish').map(({ epoch }) => epoch);
  assert.equal(epochs[0], epochs[1]);
  assert.equal((await after.request('stream.close', NAME, { role: 'play' })).err, 0);
});

test('a session that another signaling process takes is let go of here, and released by neither', async (t) => {
  const first = await startServer(t);
  const before = await first.connect();
  const { session } = await before.publish(NAME);
  const second = await startServer(
    t,
    { name: 'signaling-2' },
    { registry: first.registry, media: first.media },
  );
  const after = await second.connect();
  assert.equal((await after.heartbeat({ session })).session, session);
  // Its first process learns of that when it writes the session next.
  before.play(NAME).catch(() => {});
  assert.equal((await before.end()).code, CLOSE_CODES.session_taken_over);
  assert.equal((await after.heartbeat()).session, session);
  assert.deepEqual(first.media.called('release'), []);
  const [record] = await first.registry.sessions({ limit: 10 });
  assert.deepEqual([record?.id, record?.signaling], [session, 'signaling-2']);
});

test('a session of another token subject is not taken from its process', async (t) => {
  const identify = async (token: string | undefined) => ({
    ...(await openAuthoriser.identify(undefined)),
    subject: token ?? '',
  });
  const deps = { authoriser: { identify } };
  const first = await startServer(t, {}, deps);
  const before = await first.connect('?token=ann');
  const { session } = await before.heartbeat();
  await until('it is written', async () => (await first.registry.sessions({ limit: 1 })).length === 1);
  const { registry, media } = first;
  const second = await startServer(t, { name: 'signaling-2' }, { ...deps, registry, media });
  const thief = await second.connect('?token=bob');
  assert.equal((await thief.heartbeat({ session })).err, ERROR_CODES.not_authorised);
  assert.equal((await registry.sessions({ limit: 1 }))[0]?.signaling, 'signaling-1');
});

test('sessions are limited, and one without client and streams makes room', async (t) => {
  const { connect, logs } = await startServer(t, { limits: { sessions: 2 } });
  const [first, second, third] = [await connect(), await connect(), await connect()];
  await first.publish('a');
  await second.heartbeat();
  assert.equal((await third.heartbeat()).err, ERROR_CODES.too_many);
  await second.leave();
  await until('it is detached', () => logs.some(({ msg }) => msg === 'session detached'));
  assert.equal((await third.heartbeat()).err, 0);
});

test('of two clients that come at once for the last session one gets it, and keeps it', async (t) => {
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  const identify = async (token: string | undefined) => {
    const identity = await openAuthoriser.identify(token);
    asked += 1;
    await gate.promise;
    return identity;
  };
  const { connect } = await startServer(t, { limits: { sessions: 1 } }, { authoriser: { identify } });
  const clients = [await connect(), await connect()];
  const answers = clients.map(async (client) => ({ client, reply: await client.heartbeat() }));
  await until('both are asked for', () => asked === 2);
  gate.resolve();
  const [served, refused] = (await Promise.all(answers)).sort((a, b) => a.reply.err - b.reply.err);
  assert.equal(served?.reply.err, 0);
  assert.equal(refused?.reply.err, ERROR_CODES.too_many);
  assert.equal((await served?.client.publish(NAME))?.err, 0);
});

test('logs show a session by its public id only, and no name can forge a line', async (t) => {
  const { connect, logs } = await startServer(t);
  const client = await connect();
  const { session } = await client.publish('a","msg":"forged');
  await client.publish('b');
  await client.leave();
  await until('it is detached', () => logs.some(({ msg }) => msg === 'session detached'));
  assert.equal(JSON.stringify(logs).includes(session), false);
  assert.equal(
    logs.some(({ msg }) => msg === 'forged'),
    false,
  );
  const opened = logs.find(({ msg }) => msg === 'session opened');
  assert.match(String(opened?.session), /^[0-9a-f]{16}$/);
});
