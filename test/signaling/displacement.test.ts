import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Authoriser } from '../../core/auth/index.ts';
import { ERROR_CODES, type StreamName } from '../../core/protocol/index.ts';
import { until } from './client.ts';
import { startServer } from './server.ts';

const NAME = 'lobby' as StreamName;

/** Each token is a subject of its own. */
const bySubject: Authoriser = {
  identify: async (token) => ({ subject: token ?? '', may: () => true }),
};

test('a name that a connected publisher holds is refused', async (t) => {
  const { connect, media } = await startServer(t);
  const holder = await connect();
  const { session } = await holder.publish(NAME);
  const reply = await (await connect()).publish(NAME);
  assert.equal(reply.err, ERROR_CODES.stream_already_published);
  assert.equal(media.streams.get(NAME)?.session, session);
});

test('a publisher whose socket is gone is displaced at once', async (t) => {
  const { connect, media, logs, registry } = await startServer(t);
  const gone = await connect();
  await gone.publish(NAME);
  gone.socket.terminate();
  await until('it is detached', () => logs.some(({ msg }) => msg === 'session detached'));
  const next = await connect();
  const reply = await next.publish(NAME);
  assert.equal(reply.err, 0, reply.err_msg);
  assert.equal(media.streams.get(NAME)?.session, reply.session);
  assert.equal((await registry.findStream(NAME))?.session, reply.session);
  const [first, second] = media.called('publish');
  assert.ok((second?.epoch ?? 0) > (first?.epoch ?? 0));
});

test('a connected publisher whose media stopped is displaced', async (t) => {
  const { connect, media } = await startServer(t);
  const silent = await connect('?events=1');
  await silent.publish(NAME);
  const stream = media.streams.get(NAME);
  assert.ok(stream);
  stream.live = false;
  const next = await connect();
  assert.equal((await next.publish(NAME)).err, 0);
  const event = await silent.next();
  assert.equal(event.method, 'stream.ended');
  assert.deepEqual(event.data, { role: 'publish', reason: 'displaced' });
  // It holds the stream no longer.
  assert.equal((await silent.request('stream.mute', NAME)).err, ERROR_CODES.stream_not_found);
  assert.equal((await silent.publish(NAME)).err, ERROR_CODES.stream_already_published);
});

test('another token subject displaces only a publisher whose media stopped', async (t) => {
  const { connect, logs, media } = await startServer(t, {}, { authoriser: bySubject });
  const gone = await connect('?token=ann');
  await gone.publish(NAME);
  gone.socket.terminate();
  await until('it is detached', () => logs.some(({ msg }) => msg === 'session detached'));
  const bob = await connect('?token=bob');
  assert.equal((await bob.publish(NAME)).err, ERROR_CODES.stream_already_published);
  const stream = media.streams.get(NAME);
  assert.ok(stream);
  stream.live = false;
  assert.equal((await bob.publish(NAME)).err, 0);
});

test('a session is taken over by its own token subject only', async (t) => {
  const { connect } = await startServer(t, {}, { authoriser: bySubject });
  const ann = await connect('?token=ann');
  const { session } = await ann.heartbeat();
  const bob = await connect('?token=bob');
  const refused = await bob.heartbeat({ session });
  assert.equal(refused.err, ERROR_CODES.not_authorised);
  assert.equal(refused.session, '');
  assert.equal((await bob.heartbeat({ session, token: 'ann' })).session, session);
});

test('a publish that is only just being made is not displaced', async (t) => {
  const { connect, media } = await startServer(t);
  const release = media.hold('publish');
  const first = await connect();
  first.send('stream.publish', NAME, { sdp: 'offer' });
  await until('it is called', () => media.called('publish').length === 1);
  assert.equal((await (await connect()).publish(NAME)).err, ERROR_CODES.stream_already_published);
  release();
  assert.equal((await first.next()).err, 0);
});

test('of two that publish one name at once exactly one gets it', async (t) => {
  const { connect, media } = await startServer(t);
  const clients = await Promise.all([connect(), connect(), connect(), connect()]);
  const replies = await Promise.all(clients.map((client) => client.publish(NAME)));
  const codes = replies.map(({ err }) => err).sort();
  const refused = ERROR_CODES.stream_already_published;
  assert.deepEqual(codes, [0, refused, refused, refused]);
  const winner = replies.find(({ err }) => err === 0);
  assert.equal(media.streams.get(NAME)?.session, winner?.session);
});

test('a displacing publish that fails leaves neither claim nor the stream it displaced', async (t) => {
  const { connect, media, logs, registry } = await startServer(t);
  const gone = await connect();
  await gone.publish(NAME);
  gone.socket.terminate();
  await until('it is detached', () => logs.some(({ msg }) => msg === 'session detached'));
  const next = await connect();
  assert.equal((await next.publish(NAME, 'broken')).err, ERROR_CODES.invalid_sdp);
  await until('the claim is gone', async () => (await registry.findStream(NAME)) === undefined);
  assert.equal(media.streams.has(NAME), false);
  assert.equal((await next.publish(NAME)).err, 0);
});

test('a session whose media server is gone claims its stream again at once', async (t) => {
  const { connect, media, registry } = await startServer(t);
  const client = await connect('?events=1');
  await client.publish(NAME);
  media.die();
  const event = await client.next();
  assert.deepEqual(event.data, { role: 'publish', reason: 'media_server_lost' });
  await registry.announceNode({ ...(await registry.nodes())[0], load: 0 } as never);
  const reply = await client.publish(NAME);
  assert.equal(reply.err, 0, reply.err_msg);
});
