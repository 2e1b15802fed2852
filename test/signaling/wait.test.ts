import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE_CODES, ERROR_CODES, type StreamName } from '../../core/protocol/index.ts';
import { until } from './client.ts';
import { startServer } from './server.ts';

const NAME = 'lobby' as StreamName;
const waiting = { sdp: 'offer', wait_ms: 5000 };

test('a play that waits is answered when its stream is published', async (t) => {
  const { connect, media } = await startServer(t);
  const viewer = await connect();
  viewer.send('stream.play', NAME, waiting, { id: 1 });
  // Others go on meanwhile.
  assert.equal((await viewer.heartbeat()).err, 0);
  await (await connect()).publish(NAME);
  const reply = await viewer.next();
  assert.equal(reply.id, 1);
  assert.equal(reply.err, 0, reply.err_msg);
  assert.equal(media.called('play').length, 1);
});

test('a play that waits takes a stream that is there already', async (t) => {
  const { connect } = await startServer(t);
  await (await connect()).publish(NAME);
  const viewer = await connect();
  assert.equal((await viewer.request('stream.play', NAME, waiting, { id: 1 })).err, 0);
});

test('a play that waited long enough says that there is no stream', async (t) => {
  const { connect } = await startServer(t);
  const viewer = await connect();
  const startMs = performance.now();
  const reply = await viewer.request('stream.play', NAME, { sdp: 'offer', wait_ms: 100 }, { id: 1 });
  assert.equal(reply.err, ERROR_CODES.stream_not_found);
  assert.ok(performance.now() - startMs >= 95);
});

test('the time that a play waits does not count against its deadline', async (t) => {
  const { connect } = await startServer(t, { requestTimeoutMs: 100 });
  const viewer = await connect();
  const reply = await viewer.request('stream.play', NAME, { sdp: 'offer', wait_ms: 300 }, { id: 1 });
  assert.equal(reply.err, ERROR_CODES.stream_not_found);
});

test('a session may publish the stream that it waits for itself', async (t) => {
  const { connect } = await startServer(t);
  const client = await connect();
  client.send('stream.play', NAME, waiting, { id: 'play' });
  client.send('stream.publish', NAME, { sdp: 'offer' }, { id: 'publish' });
  const replies = [await client.next(), await client.next()];
  assert.deepEqual(
    replies.map(({ err }) => err),
    [0, 0],
  );
});

test('close ends a play that still waits', async (t) => {
  const { connect } = await startServer(t);
  const client = await connect();
  client.send('stream.play', NAME, waiting, { id: 'play' });
  client.send('stream.close', NAME, {}, { id: 'close' });
  const replies = new Map([await client.next(), await client.next()].map(({ id, err }) => [id, err]));
  assert.deepEqual(
    replies,
    new Map([
      ['play', ERROR_CODES.stream_not_found],
      ['close', 0],
    ]),
  );
});

test('a client that leaves waits no longer', async (t) => {
  const { connect, media, logs } = await startServer(t);
  const viewer = await connect();
  viewer.send('stream.play', NAME, waiting, { id: 1 });
  await viewer.heartbeat();
  await viewer.leave();
  await until('it is detached', () => logs.some(({ msg }) => msg === 'session detached'));
  await (await connect()).publish(NAME);
  assert.deepEqual(media.called('play'), []);
});

test('a play that waits ends when another connection takes its session over, whose own play waits on', async (t) => {
  const { connect, media } = await startServer(t);
  const older = await connect();
  older.send('stream.play', NAME, { ...waiting, sdp: 'older offer' }, { id: 1 });
  const { session } = await older.heartbeat();
  const newer = await connect();
  newer.send('stream.play', NAME, { ...waiting, sdp: 'newer offer' }, { id: 2, session });
  assert.equal((await older.end()).code, CLOSE_CODES.session_taken_over);
  await (await connect()).publish(NAME);
  assert.equal((await newer.next()).err, 0);
  assert.deepEqual(
    media.called('play').map(({ sdp }) => sdp),
    ['newer offer'],
  );
});

test('waiting needs an id', async (t) => {
  const { connect } = await startServer(t);
  const reply = await (await connect()).request('stream.play', NAME, waiting);
  assert.equal(reply.err, ERROR_CODES.missing_field);
});
