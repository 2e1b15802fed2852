import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CLOSE_CODES, ERROR_CODES, type StreamName } from '../../core/protocol/index.ts';
import { until } from './client.ts';
import { startServer } from './server.ts';

const NAME = 'lobby' as StreamName;

test('replies to requests without id come strictly in order, heartbeats and errors too', async (t) => {
  const { connect, media } = await startServer(t);
  const release = media.hold('publish');
  const client = await connect();
  client.send('stream.publish', NAME, { sdp: 'offer' });
  client.send('stream.heartbeat', '');
  client.socket.send('not JSON');
  client.send('stream.play', 'nobody', { sdp: 'offer' });
  await until('it is called', () => media.called('publish').length === 1);
  // A request with id is answered meanwhile, which shows that the others wait for their turn.
  assert.equal((await client.heartbeat({ id: 'now' })).id, 'now');
  assert.equal(client.unread, 0);
  release();
  assert.equal((await client.next()).method, 'stream.publish');
  assert.equal((await client.next()).method, 'stream.heartbeat');
  assert.equal((await client.next()).err, ERROR_CODES.malformed);
  assert.equal((await client.next()).err, ERROR_CODES.stream_not_found);
});

test('replies to requests with id come as soon as they are done, and repeat it', async (t) => {
  const { connect, media } = await startServer(t);
  const release = media.hold('publish');
  const client = await connect();
  client.send('stream.publish', NAME, { sdp: 'offer' }, { id: 1 });
  client.send('stream.heartbeat', '', {}, { id: 'two' });
  assert.equal((await client.next()).id, 'two');
  release();
  const published = await client.next();
  assert.equal(published.id, 1);
  assert.equal(published.err, 0);
});

test('requests for one stream run in order, those for different streams in parallel', async (t) => {
  const { connect, media } = await startServer(t);
  const client = await connect();
  const release = media.hold('publish');
  client.send('stream.publish', 'a', { sdp: 'offer' }, { id: 1 });
  client.send('stream.mute', 'a', { video: true }, { id: 2 });
  client.send('stream.close', 'a', {}, { id: 3 });
  client.send('stream.play', 'nobody', { sdp: 'offer' }, { id: 4 });
  assert.equal((await client.next()).id, 4);
  assert.deepEqual(
    media.calls.map(({ name }) => name),
    ['publish'],
  );
  release();
  for (const id of [1, 2, 3]) {
    const reply = await client.next();
    assert.equal(reply.id, id);
    assert.equal(reply.err, 0, reply.err_msg);
  }
});

test('every reply has a deadline, and what still waited for its turn then is not begun', async (t) => {
  const { connect, media } = await startServer(t, { requestTimeoutMs: 80 });
  const client = await connect();
  const releases = [media.hold('publish'), media.hold('close')];
  client.send('stream.publish', NAME, { sdp: 'offer' });
  client.send('stream.mute', NAME, { video: true });
  assert.equal((await client.next()).err, ERROR_CODES.timed_out);
  assert.equal((await client.next()).err, ERROR_CODES.timed_out);
  for (const release of releases) release();
  assert.equal((await client.heartbeat()).err, 0);
  assert.deepEqual(media.called('mute'), []);
});

test('a reply says the method again, or ack where the client or the settings ask for that', async (t) => {
  const echo = await startServer(t);
  assert.equal((await (await echo.connect()).heartbeat()).method, 'stream.heartbeat');
  assert.equal((await (await echo.connect('?reply=ack')).heartbeat()).method, 'ack');
  const ack = await startServer(t, { replyMethod: 'ack' });
  assert.equal((await (await ack.connect()).play(NAME)).method, 'ack');
  assert.equal((await (await ack.connect('?reply=echo')).heartbeat()).method, 'stream.heartbeat');
});

test('WebSockets are served at / and /ws', async (t) => {
  const { connect } = await startServer(t);
  assert.equal((await (await connect('ws')).heartbeat()).err, 0);
  assert.equal((await (await connect('ws?reply=ack')).heartbeat()).method, 'ack');
  await assert.rejects(connect('elsewhere'), /404/);
  await assert.rejects(connect('?reply=other'), /400/);
});

test('malformed input gets an error each time, until the allowance is used up: 4003', async (t) => {
  const { connect } = await startServer(t, { limits: { badMessages: 3 } });
  const client = await connect();
  const bad = [
    ['[]', ERROR_CODES.malformed],
    ['{"version":"2.0","method":"stream.play"}', ERROR_CODES.unsupported_version],
    ['{"version":"1.0","method":"stream.rewind","stream":"a"}', ERROR_CODES.unknown_method],
    ['{"version":"1.0","method":"stream.play","stream":"a","id":7}', ERROR_CODES.missing_field],
  ] as const;
  for (const [text, code] of bad) {
    client.socket.send(text);
    const reply = await client.next();
    assert.equal(reply.err, code);
    assert.deepEqual(reply.data, {});
  }
  assert.equal((await client.end()).code, CLOSE_CODES.too_many_bad_messages);
});

test('a server without recording says so', async (t) => {
  const { connect } = await startServer(t);
  const client = await connect();
  for (const method of ['record.start', 'record.stop'])
    assert.equal((await client.request(method, NAME)).err, ERROR_CODES.storage_unavailable);
});

test('a message above the size limit closes with 1009, one at the limit is read', async (t) => {
  const { connect } = await startServer(t);
  const client = await connect();
  const message = JSON.stringify({ version: '1.0', method: 'stream.heartbeat' });
  client.socket.send(message.padEnd(256 * 1024));
  assert.equal((await client.next()).err, 0);
  client.socket.send(message.padEnd(256 * 1024 + 1));
  assert.equal((await client.end()).code, CLOSE_CODES.message_too_large);
});

test('a frame that is not text, or not UTF-8, closes with 1003', async (t) => {
  const { connect } = await startServer(t);
  const binary = await connect();
  binary.socket.send(Buffer.from('{}'));
  assert.equal((await binary.end()).code, CLOSE_CODES.unsupported_data);
  const broken = await connect();
  broken.socket.send(Buffer.from([0x7b, 0xff, 0x7d]), { binary: false });
  assert.equal((await broken.end()).code, CLOSE_CODES.unsupported_data);
});

test('requests that wait for their reply are limited, and too many of them use up the allowance', async (t) => {
  const { connect, media } = await startServer(t, { limits: { queuedRequests: 2, badMessages: 2 } });
  media.hold('publish');
  const client = await connect();
  for (let id = 1; id <= 5; id += 1) client.send('stream.publish', NAME, { sdp: 'offer' }, { id });
  for (const id of [3, 4, 5]) {
    const reply = await client.next();
    assert.equal(reply.id, id);
    assert.equal(reply.err, ERROR_CODES.too_many);
  }
  assert.equal((await client.end()).code, CLOSE_CODES.too_many_bad_messages);
});

test('a client that reads nothing is closed with 4005 when its buffer is full', async (t) => {
  const { connect, metrics } = await startServer(t, { limits: { sendBufferBytes: 64 * 1024 } });
  const client = await connect();
  client.socket.pause();
  const text = JSON.stringify({
    version: '1.0',
    method: 'stream.heartbeat',
    stream: 'y'.repeat(60_000),
    id: 1,
  });
  await until('it is closed', async () => {
    for (let count = 0; count < 20; count += 1) client.socket.send(text);
    return (await metrics.metrics()).includes('millrace_signaling_closes_total{code="4005"} 1');
  });
  client.socket.terminate();
});

test('whatever text a client sends, each message gets one reply, and the next one is served', async (t) => {
  const { connect } = await startServer(t, { limits: { badMessages: 10_000 } });
  const client = await connect();
  const field = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom('1.0', 'stream.play', 'stream.heartbeat', 'stream.mute'),
  );
  const message = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc
      .record(
        { version: field, method: field, stream: field, session: field, data: field, token: field },
        { requiredKeys: [] },
      )
      .map((value) => JSON.stringify(value)),
  );
  for (const text of fc.sample(message, { numRuns: 300, seed: 1 })) {
    client.socket.send(text);
    const reply = await client.next();
    assert.equal(typeof reply.err, 'number', text);
    assert.notEqual(reply.err, ERROR_CODES.internal, text);
  }
  assert.equal((await client.heartbeat()).err, 0);
});

test('a heartbeat’s reply names the ICE servers, with credentials that expire', async (t) => {
  const iceServers = { urls: ['turn:b.example'], turnSecret: 's', turnTtlMs: 60_000 };
  const { connect } = await startServer(t, { iceServers });
  const client = await connect();
  const beforeS = Math.floor(Date.now() / 1000);
  const { data } = await client.heartbeat();
  const [server, ...more] = data.ice_servers as { urls: string[]; username: string; credential: string }[];
  assert.deepEqual(server?.urls, ['turn:b.example']);
  assert.equal(more.length, 0);
  const seconds = Number(server.username.split(':')[0]);
  assert.ok(seconds >= beforeS + 60 && seconds <= Date.now() / 1000 + 60, server.username);
  assert.equal(server.credential.length, 28);
});
