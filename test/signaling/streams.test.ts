import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES, MillraceError, type StreamName } from '../../core/protocol/index.ts';
import { until } from './client.ts';
import { startServer } from './server.ts';

const NAME = 'lobby' as StreamName;

test('a client publishes, another one plays, and both get their answers', async (t) => {
  const { connect, media, registry } = await startServer(t);
  const publisher = await connect();
  const published = await publisher.publish(NAME, 'offer P');
  assert.equal(published.err, 0, published.err_msg);
  assert.equal(published.err_msg, 'success');
  assert.deepEqual(published.data, { sdp: 'answer to offer P' });
  assert.equal(published.method, 'stream.publish');
  assert.equal(published.stream, NAME);
  assert.match(published.session, /^[A-Za-z0-9_-]{22}$/);

  const viewer = await connect();
  const played = await viewer.play(NAME, 'offer V');
  assert.equal(played.err, 0, played.err_msg);
  assert.deepEqual(played.data, { sdp: 'answer to offer V' });
  assert.notEqual(played.session, published.session);
  assert.equal(media.streams.get(NAME)?.plays.size, 1);
  const record = await registry.findStream(NAME);
  assert.equal(record?.tracks.length, 2);
  assert.equal(record?.session, published.session);
});

test('mute acts on the publish if the session has one, else on the play; role chooses', async (t) => {
  const { connect, media } = await startServer(t);
  const publisher = await connect();
  await publisher.publish(NAME);
  await publisher.play(NAME);
  assert.deepEqual((await publisher.request('stream.mute', NAME, { video: true })).data, {
    video: true,
    audio: false,
  });
  assert.equal(media.streams.get(NAME)?.muted.video, true);
  const own = await publisher.request('stream.mute', NAME, { audio: true, role: 'play' });
  assert.deepEqual(own.data, { video: false, audio: true });
  assert.equal(own.err_msg, 'succeed');

  const viewer = await connect();
  await viewer.play(NAME);
  assert.deepEqual((await viewer.request('stream.mute', NAME, { audio: true })).data, {
    video: false,
    audio: true,
  });
  const wrong = await viewer.request('stream.mute', NAME, { audio: true, role: 'publish' });
  assert.equal(wrong.err, ERROR_CODES.stream_not_found);
  assert.deepEqual(wrong.data, {});
});

test('close without role ends both, with role that one, and of what is not held it says so', async (t) => {
  const { connect, media, registry } = await startServer(t);
  const client = await connect();
  await client.publish(NAME);
  await client.play(NAME);
  assert.deepEqual((await client.request('stream.close', NAME, { role: 'play' })).data, {});
  assert.equal(media.streams.get(NAME)?.plays.size, 0);
  assert.equal(media.streams.has(NAME), true);
  await client.play(NAME);
  assert.equal((await client.request('stream.close', NAME)).err, 0);
  assert.equal(media.streams.has(NAME), false);
  assert.equal(await registry.findStream(NAME), undefined);
  assert.equal((await client.request('stream.close', NAME)).err, ERROR_CODES.stream_not_found);
});

test('a session publishes and plays several streams, up to its limit', async (t) => {
  const { connect } = await startServer(t, { limits: { streamsPerSession: 2 } });
  const client = await connect();
  assert.equal((await client.publish('a')).err, 0);
  assert.equal((await client.publish('b')).err, 0);
  assert.equal((await client.play('a')).err, 0);
  assert.equal((await client.publish('c')).err, ERROR_CODES.too_many);
  await client.request('stream.close', 'b');
  assert.equal((await client.publish('c')).err, 0);
});

test('playing a name that nobody publishes is an error', async (t) => {
  const { connect } = await startServer(t);
  const reply = await (await connect()).play('nobody');
  assert.equal(reply.err, ERROR_CODES.stream_not_found);
  assert.match(reply.err_msg, /nobody/);
});

test('a second offer of the session goes to the same stream under the same epoch', async (t) => {
  const { connect, media } = await startServer(t);
  const client = await connect();
  await client.publish(NAME, 'first');
  await client.publish(NAME, 'second');
  assert.deepEqual(media.streams.get(NAME)?.offers, ['first', 'second']);
  const [first, second] = media.called('publish');
  assert.equal(first?.epoch, second?.epoch);
});

test('max_bitrate reaches the media server as it came', async (t) => {
  const { connect, media } = await startServer(t);
  const client = await connect();
  await client.request('stream.publish', NAME, { sdp: 'offer', max_bitrate: 18446744073709552000 });
  assert.equal(media.called('publish')[0]?.maxBitrateBps, 18446744073709552000);
});

test('a publish that fails gives its claim back', async (t) => {
  const { connect, registry } = await startServer(t);
  const client = await connect();
  assert.equal((await client.publish(NAME, 'broken')).err, ERROR_CODES.invalid_sdp);
  await until('the claim is gone', async () => (await registry.findStream(NAME)) === undefined);
  assert.equal((await (await connect()).publish(NAME)).err, 0);
});

test('a renegotiation that fails leaves the stream as it was', async (t) => {
  const { connect, media, registry } = await startServer(t);
  const client = await connect();
  await client.publish(NAME);
  assert.equal((await client.publish(NAME, 'broken')).err, ERROR_CODES.invalid_sdp);
  assert.equal(media.streams.has(NAME), true);
  assert.equal((await registry.findStream(NAME))?.tracks.length, 2);
  assert.equal((await client.request('stream.mute', NAME, { audio: true })).err, 0);
});

test('a publish that met the end of its own stream claims the name anew', async (t) => {
  const { connect, media, registry } = await startServer(t);
  const client = await connect();
  await client.publish(NAME);
  const before = await registry.findStream(NAME);
  media.fail('publish', new MillraceError('stream_ended', 'it ended meanwhile; publish it again'), 1);
  assert.equal((await client.publish(NAME)).err, 0);
  const after = await registry.findStream(NAME);
  assert.ok(before && after && after.epoch > before.epoch);
  assert.equal((await client.request('stream.close', NAME)).err, 0);
});

test('a publish that times out is undone at the media server', async (t) => {
  const { connect, media, registry } = await startServer(t, { requestTimeoutMs: 300 });
  const release = media.hold('publish');
  const client = await connect();
  const reply = await client.publish(NAME);
  assert.equal(reply.err, ERROR_CODES.timed_out);
  release();
  await until('it is closed', () => media.called('close').length > 0 && !media.streams.has(NAME));
  await until('the claim is gone', async () => (await registry.findStream(NAME)) === undefined);
});

test('errors of the media server reach the client with their code and words', async (t) => {
  const { connect, media } = await startServer(t);
  media.fail('publish', new MillraceError('no_common_codec', 'only H265 is offered; offer VP8'));
  const reply = await (await connect()).publish(NAME);
  assert.equal(reply.err, ERROR_CODES.no_common_codec);
  assert.equal(reply.err_msg, 'only H265 is offered; offer VP8');
});

test('without a media server a publish says so', async (t) => {
  const { connect, media, registry } = await startServer(t);
  media.stop();
  await registry.withdrawNode(media.id);
  assert.equal((await (await connect()).publish(NAME)).err, ERROR_CODES.no_media_server);
});

test("a play that met a change of the publisher's transport is tried once more", async (t) => {
  const { connect, media } = await startServer(t);
  await (await connect()).publish(NAME);
  const viewer = await connect();
  const changed = new MillraceError('stream_ended', 'the stream changed while it was being joined');
  media.fail('play', changed, 1);
  assert.equal((await viewer.play(NAME)).err, 0);
  media.fail('play', changed, 2);
  assert.equal((await viewer.play('other')).err, ERROR_CODES.stream_not_found);
  assert.equal((await viewer.play(NAME)).err, ERROR_CODES.stream_ended);
});

test('a play whose media server no longer has it is played anew where the stream is', async (t) => {
  const { connect, media } = await startServer(t);
  await (await connect()).publish(NAME);
  const viewer = await connect();
  await viewer.play(NAME);
  media.streams.get(NAME)?.plays.clear();
  assert.equal((await viewer.play(NAME)).err, 0);
  assert.equal(media.streams.get(NAME)?.plays.size, 1);
});
