import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { FakePeerConnection } from '../harness/fake-peer.ts';
import { FakeServer } from '../harness/fake-server.ts';
import { streamContext } from '../harness/stream-context.ts';
import { ERROR_CODES } from './error-code.ts';
import { Playback, type PlayOptions } from './playback.ts';
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

function play(options: PlayOptions = {}): Promise<Playback> {
  return Playback.open('a', options, context);
}

const played = (): string[] => server.of('stream.play').map(({ data }) => String(data.sdp));

const kinds = (playback: Playback): string[] => playback.mediaStream.getTracks().map(({ kind }) => kind);

/** The fake connections whose tracks the playback shows. */
function shown(playback: Playback): number[] {
  const tracks: unknown[] = playback.mediaStream.getTracks();
  return FakePeerConnection.made
    .filter(({ transceivers }) => transceivers.some(({ receiver }) => tracks.includes(receiver.track)))
    .map(({ number }) => number);
}

function names(playback: Playback): string[] {
  const seen: string[] = [];
  for (const name of ['connected', 'moved', 'reconnecting', 'resumed'] as const) {
    playback.on(name, () => seen.push(name));
  }
  playback.on('ended', ({ reason }) => seen.push(`ended: ${reason}`));
  return seen;
}

test('Playing offers to receive sound and picture, and shows what the answer gave', async () => {
  const playback = await play();
  assert.deepEqual(server.of('stream.play')[0]?.data, { sdp: 'offer 0 ice 0 #1' });
  assert.deepEqual(kinds(playback), ['audio', 'video']);
});

test('A section that the answer rejected has no track', async () => {
  server.answer = () => ({ data: { sdp: 'no video' } });
  assert.deepEqual(kinds(await play()), ['audio']);
});

test('The time to wait is sent, at most a minute', async () => {
  await play({ waitMs: 90_000 });
  assert.equal(server.of('stream.play')[0]?.data.wait_ms, 60_000);
});

test('A stream that is not there rejects', async () => {
  server.answer = () => ({ err: ERROR_CODES.stream_not_found });
  await assert.rejects(play(), { errorName: 'stream_not_found' });
  assert.ok(FakePeerConnection.last.closed);
});

test('A wait that is given up rejects at once, and tells the server', async () => {
  server.answer = ({ method }) => (method === 'stream.play' ? null : {});
  const abort = new AbortController();
  const waiting = play({ waitMs: 30_000, signal: abort.signal });
  await server.until(() => played().length === 1);
  abort.abort();
  await assert.rejects(waiting, { errorName: 'closed' });
  await server.until(() => server.of('stream.close').length === 1);
});

test('A moved stream is played on a second connection, and switched to at its first decoded frame', async () => {
  const playback = await play();
  const seen = names(playback);
  const stream = playback.mediaStream;
  const [first] = FakePeerConnection.made;
  first?.connect();
  server.event('stream.moved', 'a');
  await server.until(() => played().length === 2);
  await server.until(() => FakePeerConnection.last.signalingState === 'stable');
  assert.deepEqual(shown(playback), [0]);
  assert.equal(first?.closed, false);
  FakePeerConnection.last.connect();
  FakePeerConnection.last.framesDecoded = 1;
  await server.until(() => shown(playback)[0] === 1);
  assert.equal(playback.mediaStream, stream);
  assert.equal(first?.closed, true);
  assert.deepEqual(seen, ['connected', 'moved']);
});

test('Statistics that are refused show no frame yet', async () => {
  const playback = await play();
  FakePeerConnection.last.connect();
  server.event('stream.moved', 'a');
  await server.until(() => FakePeerConnection.made[1] !== undefined);
  const next = FakePeerConnection.last;
  next.statsRefused = 0;
  await server.until(() => (next.statsRefused ?? 0) > 0);
  next.statsRefused = null;
  next.framesDecoded = 1;
  await server.until(() => shown(playback)[0] === 1);
});

test('When the older connection is lost before the newer one decodes, the newer one takes over at once', async () => {
  const playback = await play();
  FakePeerConnection.last.connect();
  server.event('stream.moved', 'a');
  await server.until(() => FakePeerConnection.made[1]?.signalingState === 'stable' && played().length === 2);
  FakePeerConnection.made[0]?.dtls.close();
  await server.until(() => shown(playback)[0] === 1);
});

test('When the older connection is lost before the newer one is answered, the newer one takes over then', async () => {
  const playback = await play();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  server.answer = async () => {
    await held;
    return { data: { sdp: 'answer' } };
  };
  FakePeerConnection.last.connect();
  server.event('stream.moved', 'a');
  await server.until(() => played().length === 2);
  FakePeerConnection.made[0]?.dtls.close();
  await server.until(() => FakePeerConnection.made[0]?.closed === true);
  release();
  await server.until(() => shown(playback)[0] === 1);
});

test('A newer connection that fails is replaced, the older one stays meanwhile', async () => {
  const playback = await play();
  FakePeerConnection.last.connect();
  server.event('stream.moved', 'a');
  await server.until(() => FakePeerConnection.made[1]?.signalingState === 'stable' && played().length === 2);
  FakePeerConnection.made[1]?.dtls.close();
  await server.until(() => played().length === 3);
  assert.deepEqual(shown(playback), [0]);
});

test('A lost session is played anew with time for its publisher to come back', async () => {
  await play();
  server.session = 'session-2';
  server.answer = (request) =>
    request.session === 'session-1' ? { err: ERROR_CODES.unknown_session } : { data: { sdp: 'answer' } };
  server.drop(1012);
  await server.until(() => played().length === 2);
  assert.ok(Number(server.of('stream.play')[1]?.data.wait_ms) >= 10_000);
});

test('A stream whose server was lost is waited for; one that was ended is not', async () => {
  const playback = await play();
  const seen = names(playback);
  server.event('stream.ended', 'a', { role: 'play', reason: 'media_server_lost' });
  await server.until(() => played().length === 2);
  server.event('stream.ended', 'a', { role: 'play', reason: 'publisher_closed' });
  await server.until(() => playback.ended !== null);
  assert.deepEqual(seen.at(-1), 'ended: publisher_closed');
  assert.deepEqual(kinds(playback), []);
});

test('A play whose generation is over is played again', async () => {
  const playback = await play();
  server.event('stream.ended', 'a', { role: 'play', reason: 'displaced' });
  await server.until(() => played().length === 2);
  assert.equal(playback.ended, null);
});

test('Events of other streams are not this one’s', async () => {
  const playback = await play();
  server.event('stream.ended', 'b', { role: 'play', reason: 'publisher_closed' });
  await playback.mute({ audio: true });
  assert.equal(playback.ended, null);
  assert.deepEqual(server.of('stream.mute')[0]?.data, { audio: true, video: false, role: 'play' });
});

test('A failed path restarts ICE on the same connection', async () => {
  await play();
  FakePeerConnection.last.connect();
  FakePeerConnection.last.disconnect();
  await server.until(() => played().length === 2);
  assert.equal(played()[1], 'offer 0 ice 1 #2');
});

test('A play that is given up before it begins asks the server for nothing', async () => {
  await assert.rejects(play({ signal: AbortSignal.abort() }), { errorName: 'closed' });
  await context.session.request('stream.heartbeat', '', {});
  assert.deepEqual(played(), []);
});

test('A session that is lost while a play begins is no failure, and makes one more offer only', async () => {
  server.answer = (request) =>
    request.method === 'stream.play' && played().length === 1
      ? { err: ERROR_CODES.unknown_session }
      : { data: { sdp: 'answer' } };
  await context.session.request('stream.heartbeat', '', {});
  const playback = await play();
  await playback.mute({ audio: true });
  assert.deepEqual(played(), ['offer 0 ice 0 #1', 'offer 1 ice 0 #1']);
});

test("An answer that the browser refuses is the server's to forget", async () => {
  server.answer = ({ method }) => ({ data: { sdp: method === 'stream.play' ? 'broken' : '' } });
  await assert.rejects(play(), { errorName: 'negotiation_failed' });
  await server.until(() => server.of('stream.close').length === 1);
});
