import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { FakePeerConnection } from '../harness/fake-peer.ts';
import { FakeServer } from '../harness/fake-server.ts';
import { fakeTracks, streamContext } from '../harness/stream-context.ts';
import { ERROR_CODES } from './error-code.ts';
import type { PublishOptions } from './offer.ts';
import { Publication } from './publication.ts';
import type { StreamContext } from './stream-context.ts';

let server: FakeServer;
let context: StreamContext;

beforeEach(async () => {
  server = await FakeServer.start();
  server.answer = () => ({ data: { sdp: 'answer' } });
  context = streamContext(server.url);
});
afterEach(async () => {
  context.session.close();
  await server.stop();
});

function publish(options: PublishOptions = {}, kinds = ['audio', 'video']): Promise<Publication> {
  return Publication.open('a', fakeTracks(...kinds), options, context);
}

function names(publication: Publication): string[] {
  const seen: string[] = [];
  for (const name of ['connected', 'reconnecting', 'resumed'] as const)
    publication.on(name, () => seen.push(name));
  publication.on('ended', ({ reason }) => seen.push(`ended: ${reason}`));
  return seen;
}

const published = (): string[] => server.of('stream.publish').map(({ data }) => String(data.sdp));

test('Publishing offers every track and the bitrate, and applies the answer', async () => {
  await publish({ maxBitrateBps: 800_000, simulcast: true });
  const [request] = server.of('stream.publish');
  assert.deepEqual(request?.data, { sdp: 'offer 0 ice 0 #1', max_bitrate: 800_000 });
  assert.deepEqual(
    FakePeerConnection.last.transceivers.map(({ init }) => init.sendEncodings?.length ?? 0),
    [0, 3],
  );
  assert.equal(FakePeerConnection.last.signalingState, 'stable');
});

test('Without a bitrate none is sent', async () => {
  await publish();
  assert.equal('max_bitrate' in (server.of('stream.publish')[0]?.data ?? {}), false);
});

test('A refusal rejects, and closes what was made for it', async () => {
  server.answer = ({ method }) =>
    method === 'stream.publish' ? { err: ERROR_CODES.stream_already_published } : {};
  await assert.rejects(publish(), { errorName: 'stream_already_published', code: 40901 });
  assert.ok(FakePeerConnection.last.closed);
});

test("An answer that the browser refuses rejects with the browser's words", async () => {
  server.answer = () => ({ data: { sdp: 'broken' } });
  await assert.rejects(publish(), { errorName: 'negotiation_failed', message: /cannot parse/ });
});

test('The first connection is told once, a lost and restored one each time', async () => {
  const publication = await publish();
  const seen = names(publication);
  const peer = FakePeerConnection.last;
  peer.connect();
  peer.disconnect();
  await server.until(() => published().length === 2);
  peer.connect();
  assert.deepEqual(seen, ['connected', 'reconnecting', 'resumed']);
});

test('A failed path restarts ICE by a new offer on the same connection', async () => {
  await publish();
  FakePeerConnection.last.connect();
  FakePeerConnection.last.disconnect();
  await server.until(() => published().length === 2);
  assert.deepEqual(published(), ['offer 0 ice 0 #1', 'offer 0 ice 1 #2']);
});

test('An ICE restart that the server refuses for good is followed by a new connection', async () => {
  server.answer = ({ data, method }) =>
    method === 'stream.publish' && String(data.sdp).includes('ice 1')
      ? { err: ERROR_CODES.stream_not_found }
      : { data: { sdp: 'answer' } };
  await publish();
  FakePeerConnection.last.connect();
  FakePeerConnection.last.disconnect();
  await server.until(() => published().length === 3);
  assert.deepEqual(published()[2], 'offer 1 ice 0 #1');
});

test('A DTLS connection that the server closed is replaced by a new one', async () => {
  await publish();
  FakePeerConnection.last.connect();
  FakePeerConnection.last.dtls.close();
  await server.until(() => published().includes('offer 1 ice 0 #1'));
  assert.ok(FakePeerConnection.made[0]?.closed);
});

test('Asked to move, it sends on until the server closes the former connection', async () => {
  await publish();
  FakePeerConnection.last.connect();
  server.event('stream.moved', 'a', { role: 'play' });
  server.event('stream.moved', 'a', { role: 'publish' });
  await server.until(() => published().includes('offer 1 ice 0 #1'));
  const [former] = FakePeerConnection.made;
  FakePeerConnection.last.connect();
  assert.equal(former?.closed, false);
  former?.dtls.close();
  await server.until(() => former?.closed === true);
  assert.equal(published().length, 2);
});

test('A mute ends what a former connection still sends', async () => {
  const publication = await publish();
  FakePeerConnection.last.connect();
  server.event('stream.moved', 'a', { role: 'publish' });
  await server.until(() => published().length === 2);
  await publication.mute({ video: true });
  assert.ok(FakePeerConnection.made[0]?.closed);
});

test('A mute is sent with its role, and sent again after a new connection', async () => {
  const publication = await publish();
  assert.deepEqual(await publication.mute({ video: true }), { audio: false, video: true });
  assert.deepEqual(server.of('stream.mute')[0]?.data, { audio: false, video: true, role: 'publish' });
  server.event('stream.ended', 'a', { role: 'publish', reason: 'media_server_lost' });
  await server.until(() => server.of('stream.mute').length === 2);
  assert.deepEqual(server.of('stream.mute')[1]?.data, { audio: false, video: true, role: 'publish' });
});

test('What is unmuted while a new connection is made is unmuted at the server', async () => {
  const publication = await publish();
  await publication.mute({ video: true });
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.answer = async ({ method }) => {
    if (method === 'stream.publish') await held;
    return { data: { sdp: 'answer' } };
  };
  server.event('stream.ended', 'a', { role: 'publish', reason: 'transport_lost' });
  await server.until(() => published().length === 2);
  const unmuted = publication.mute({ video: false });
  release();
  await unmuted;
  // The server keeps a mute when the same session publishes anew.
  assert.deepEqual(server.of('stream.mute').at(-1)?.data, { audio: false, video: false, role: 'publish' });
});

test('What is asked for when media is back is done', async () => {
  const publication = await publish();
  FakePeerConnection.last.connect();
  const muting = new Promise((resolve) => {
    publication.on('resumed', () => resolve(publication.mute({ video: true })));
  });
  const lost = FakePeerConnection.last;
  lost.disconnect();
  // The path is there before the answer to the new offer is.
  server.answer = ({ method }) => {
    if (method === 'stream.publish') lost.connectionState = 'connected';
    return { data: { sdp: 'answer' } };
  };
  await server.until(() => server.of('stream.mute').length === 1);
  await muting;
});

test('A mute that the server refuses for good rejects, and leaves the state as it was', async () => {
  const publication = await publish();
  server.answer = () => ({ err: ERROR_CODES.not_authorised });
  await assert.rejects(publication.mute({ audio: true }), { errorName: 'not_authorised' });
  assert.deepEqual(publication.muted, { audio: false, video: false });
  assert.equal(publication.ended, null);
});

test('A mute that the server cannot do now is tried again until it can', async () => {
  const publication = await publish();
  let refusals = 2;
  server.answer = ({ method }) =>
    method === 'stream.mute' && refusals-- > 0 ? { err: ERROR_CODES.timed_out } : {};
  await publication.mute({ audio: true });
  assert.equal(server.of('stream.mute').length, 3);
});

test('A session that was lost is published anew, by a name that may be taken for a moment', async () => {
  await publish();
  let conflicts = 2;
  server.answer = ({ method, session }) => {
    if (session === 'session-1') return { err: ERROR_CODES.unknown_session };
    if (method === 'stream.publish' && conflicts-- > 0) return { err: ERROR_CODES.stream_already_published };
    return { data: { sdp: 'answer' } };
  };
  server.session = 'session-2';
  server.drop(1012);
  await server.until(() => published().length === 4);
  assert.match(published()[3] ?? '', /^offer 3 /);
});

test('A worker that died is answered by publishing again, other ends are ends', async () => {
  const publication = await publish();
  const seen = names(publication);
  server.event('stream.ended', 'a', { role: 'publish', reason: 'media_server_lost' });
  await server.until(() => published().length === 2);
  server.event('stream.ended', 'a', { role: 'play', reason: 'publisher_closed' });
  server.event('stream.ended', 'a', { role: 'publish', reason: 'displaced' });
  await server.until(() => publication.ended !== null);
  assert.deepEqual(seen, ['ended: displaced']);
  assert.ok(FakePeerConnection.made.every(({ closed }) => closed));
});

test('Closing tells the server its role, closes the connection, and is silent when repeated', async () => {
  const publication = await publish();
  const seen = names(publication);
  await publication.close();
  await publication.close();
  assert.deepEqual(
    server.of('stream.close').map(({ data }) => data),
    [{ role: 'publish' }],
  );
  assert.ok(FakePeerConnection.last.closed);
  assert.deepEqual(seen, ['ended: closed']);
  await assert.rejects(publication.mute({ audio: true }), { errorName: 'closed' });
});

test('A path that does not come about in time ends the publication, and says what to look at', async () => {
  context.session.close();
  context = streamContext(server.url, { recoveryMs: 100 });
  const publication = await publish();
  await server.until(() => publication.ended !== null);
  assert.equal(publication.ended?.error?.errorName, 'no_media_path');
  await server.until(() => server.of('stream.close').length === 1);
});

test('A publication does not end while the server is away', async () => {
  context.session.close();
  context = streamContext(server.url, { recoveryMs: 100 });
  const publication = await publish();
  FakePeerConnection.last.connect();
  server.drop(1006);
  server.answer = () => null;
  FakePeerConnection.last.disconnect();
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(publication.ended, null);
});

test('A session that ended for good ends the publication with its error', async () => {
  const publication = await publish();
  server.drop(4004);
  await server.until(() => publication.ended !== null);
  assert.equal(publication.ended?.error?.errorName, 'disconnected');
});

test('A track takes the place of the one of its kind without an offer; a new kind is offered', async () => {
  const publication = await publish({}, ['video']);
  const [camera, sound] = fakeTracks('video', 'audio') as [MediaStreamTrack, MediaStreamTrack];
  await publication.replaceTrack(camera);
  assert.equal(published().length, 1);
  assert.deepEqual(publication.tracks, [camera]);
  await publication.replaceTrack(sound);
  assert.deepEqual(published()[1], 'offer 0 ice 0 #2');
  assert.deepEqual(
    FakePeerConnection.last.getSenders().map(({ track }) => track),
    [camera, sound],
  );
});

test('ICE servers are known before the first offer, and an ICE restart takes the newest', async () => {
  let credential = 0;
  server.answer = ({ method }) =>
    method === 'stream.heartbeat'
      ? { data: { ice_servers: [{ urls: ['turn:a'], username: 'u', credential: String(credential++) }] } }
      : { data: { sdp: 'answer' } };
  await publish();
  const peer = FakePeerConnection.last;
  assert.deepEqual(peer.configuration.iceServers, [{ urls: ['turn:a'], username: 'u', credential: '0' }]);
  context.session.probe();
  await server.until(() => credential > 1 && context.session.iceServers[0]?.credential === '1');
  peer.iceConnectionState = 'failed';
  peer.oniceconnectionstatechange?.();
  await server.until(() => published().length === 2);
  assert.equal(peer.configuration.iceServers?.[0]?.credential, '1');
  assert.equal(peer.configuration.bundlePolicy, 'max-bundle');
});
