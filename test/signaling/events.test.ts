import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLOSE_CODES, ERROR_CODES, type SessionId, type StreamName } from '../../core/protocol/index.ts';
import { until } from './client.ts';
import { startServer } from './server.ts';

const NAME = 'lobby' as StreamName;

test('a viewer with events is told that its stream ended, one without gets nothing more', async (t) => {
  const { connect, media } = await startServer(t);
  const publisher = await connect('?events=1');
  await publisher.publish(NAME);
  const told = await connect('?events=1');
  const { session } = await told.play(NAME);
  const untold = await connect();
  await untold.play(NAME);
  assert.deepEqual(
    media.called('play').map(({ events }) => events),
    [true, false],
  );
  await publisher.request('stream.close', NAME);
  assert.deepEqual(await told.next(), {
    version: '1.0',
    method: 'stream.ended',
    stream: NAME,
    session,
    data: { role: 'play', reason: 'publisher_closed' },
  });
  assert.equal((await untold.heartbeat()).method, 'stream.heartbeat');
  // The publisher was told by the reply.
  assert.equal((await publisher.heartbeat()).method, 'stream.heartbeat');
  assert.equal((await told.request('stream.close', NAME)).err, ERROR_CODES.stream_not_found);
});

test('media that is lost unseen: with events an event, without them the socket closes with 1012', async (t) => {
  const { connect, media } = await startServer(t);
  const publisher = await connect();
  await publisher.publish(NAME);
  const told = await connect('?events=1');
  await told.play(NAME);
  const untold = await connect();
  await untold.play(NAME);
  await media.endStream(NAME, 'media_server_lost', false);
  assert.deepEqual((await told.next()).data, { role: 'play', reason: 'media_server_lost' });
  assert.equal((await untold.end()).code, CLOSE_CODES.service_restart);
  assert.equal((await publisher.end()).code, CLOSE_CODES.service_restart);
});

test('a viewer with events is told when its stream moved', async (t) => {
  const { connect, media } = await startServer(t);
  await (await connect()).publish(NAME);
  const viewer = await connect('?events=1');
  const session = (await viewer.play(NAME)).session as SessionId;
  media.notify({ type: 'play.moved', stream: NAME, session });
  const event = await viewer.next();
  assert.equal(event.method, 'stream.moved');
  assert.deepEqual(event.data, { role: 'play' });
  assert.equal((await viewer.play(NAME)).err, 0);
});

test('what happened while the client was away is told when it is back', async (t) => {
  const { connect, media, logs } = await startServer(t);
  await (await connect()).publish(NAME);
  const before = await connect('?events=1');
  const { session } = await before.play(NAME);
  await before.leave();
  await until('it is detached', () => logs.some(({ msg }) => msg === 'session detached'));
  await media.endStream(NAME, 'transport_lost');
  await until('the notice came', () => logs.some(({ msg }) => msg === 'play ended'));
  const after = await connect('?events=1');
  after.send('stream.heartbeat', '', {}, { session });
  assert.equal((await after.next()).method, 'stream.ended');
  assert.equal((await after.next()).method, 'stream.heartbeat');
});

test('a client without events whose media was lost while it was away is closed when it is back', async (t) => {
  const { connect, media, logs } = await startServer(t);
  await (await connect()).publish(NAME);
  const before = await connect();
  const { session } = await before.play(NAME);
  await before.leave();
  await until('it is detached', () => logs.some(({ msg }) => msg === 'session detached'));
  await media.endStream(NAME, 'media_server_lost', false);
  await until('the notice came', () => logs.some(({ msg }) => msg === 'play ended'));
  const after = await connect();
  assert.equal((await after.heartbeat({ session })).session, session);
  assert.equal((await after.end()).code, CLOSE_CODES.service_restart);
  const again = await connect();
  assert.equal((await again.play('other', 'offer', { session })).session, session);
});

test('a media server that is gone ends everything that sessions had there', async (t) => {
  const { connect, media } = await startServer(t);
  const client = await connect('?events=1');
  await client.publish(NAME);
  await client.play(NAME);
  media.die();
  assert.deepEqual((await client.next()).data, { role: 'publish', reason: 'media_server_lost' });
  assert.deepEqual((await client.next()).data, { role: 'play', reason: 'media_server_lost' });
});

test('a notice for an older epoch changes nothing', async (t) => {
  const { connect, media } = await startServer(t);
  const client = await connect('?events=1');
  const session = (await client.publish(NAME)).session as SessionId;
  media.notify({ type: 'publish.ended', stream: NAME, session, epoch: 1, reason: 'displaced' });
  assert.equal((await client.request('stream.mute', NAME)).err, 0);
});
