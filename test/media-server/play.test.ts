import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { MillraceError } from '../../core/protocol/error.ts';
import type { SessionId } from '../../core/protocol/session-id.ts';
import type { StreamName } from '../../core/protocol/stream-name.ts';
import { eventually } from '../harness/condition.ts';
import {
  acceptedKinds,
  attribute,
  offer,
  offerOfSamePeer,
  type Rig,
  restarted,
  session,
  startRig,
} from './harness/rig.ts';

const A = 'a' as StreamName;
const named = (errorName: string) => (error: unknown) => (error as MillraceError).errorName === errorName;

describe('Playing', () => {
  let rig: Rig;
  let publisher: SessionId;
  before(async () => {
    rig = await startRig({ generationOverlapMs: 300, limits: { streams: 3, viewers: 2 } });
  });
  after(() => rig.close());
  beforeEach(async () => {
    publisher = session();
    await rig.publish('a', publisher, offer('chromium-publish-audio-video'));
  });
  afterEach(() => rig.endAll());

  const plays = async () => (await rig.handlers.stream({ stream: A })).plays;

  test('answers with the viewer’s own payload types, in one transport', async () => {
    const sdp = await rig.play('a', session(), offer('firefox-play-audio-video'));
    assert.deepEqual(acceptedKinds(sdp), ['audio', 'video']);
    assert.match(sdp, /^m=audio \d+ UDP\/TLS\/RTP\/SAVPF 109\r$/m);
    assert.match(sdp, /^m=video \d+ UDP\/TLS\/RTP\/SAVPF 120 124\r$/m);
    assert.deepEqual(await rig.count(), { transports: 2, producers: 2, consumers: 2 });
    assert.equal((await plays()).length, 1);
  });

  test('a stream that nobody publishes is not found', async () => {
    await assert.rejects(
      rig.play('b', session(), offer('chromium-play-audio-video')),
      (error: unknown) => named('stream_not_found')(error) && /"b"/.test((error as Error).message),
    );
  });

  test('an offer without a common codec fails and leaves nothing', async () => {
    const unknown = offer('chromium-play-audio-only').replaceAll('opus/', 'unknown/');
    await assert.rejects(rig.play('a', session(), unknown), named('no_common_codec'));
    await assert.rejects(rig.play('a', session(), 'v=0'), named('invalid_sdp'));
    assert.deepEqual(await rig.count(), { transports: 1, producers: 2, consumers: 0 });
    assert.deepEqual(await plays(), []);
  });

  test('a track that comes while a viewer joins is in its answer, or it is told to play again', async () => {
    const own = session();
    const both = offer('chromium-publish-audio-video');
    const sound = both.replace(/(m=video.*?a=)send\w+/s, '$1inactive');
    const { epoch } = await rig.publish('b', own, sound);
    const viewer = session();
    const [, sdp] = await Promise.all([
      rig.publish('b', own, both, { epoch }),
      rig.play('b', viewer, offer('chromium-play-audio-video'), true),
    ]);
    const told = rig.notices.some((notice) => notice.type === 'play.moved' && notice.session === viewer);
    assert.ok(told || acceptedKinds(sdp).includes('video'), sdp);
  });

  test('sound alone takes sound alone', async () => {
    const sdp = await rig.play('a', session(), offer('chromium-play-audio-only'));
    assert.deepEqual(acceptedKinds(sdp), ['audio']);
    assert.equal((await rig.count()).consumers, 1);
  });

  test('the same peer connection adds and pauses tracks in place', async () => {
    const viewer = session();
    const sound = offer('chromium-play-audio-only');
    const first = await rig.play('a', viewer, sound);
    const both = offerOfSamePeer(sound, 'chromium-play-audio-video');
    const second = await rig.play('a', viewer, both);
    assert.deepEqual(acceptedKinds(second), ['audio', 'video']);
    assert.equal(attribute(second, 'ice-ufrag'), attribute(first, 'ice-ufrag'));
    assert.deepEqual(await rig.count(), { transports: 2, producers: 2, consumers: 2 });
    const paused = await rig.play('a', viewer, both.replaceAll('a=recvonly', 'a=inactive'));
    assert.deepEqual(acceptedKinds(paused), ['audio', 'video']);
    assert.equal(paused.match(/^a=inactive/gm)?.length, 2);
    assert.deepEqual(await rig.count(), { transports: 2, producers: 2, consumers: 2 });
    const soundAgain = await rig.play('a', viewer, sound);
    assert.deepEqual(acceptedKinds(soundAgain), ['audio']);
    assert.equal((await rig.count()).consumers, 1);
  });

  test('a new ufrag of the same peer connection restarts ICE on the same transport', async () => {
    const viewer = session();
    const sdp = offer('firefox-play-audio-video');
    const first = await rig.play('a', viewer, sdp);
    const second = await rig.play('a', viewer, restarted(sdp));
    assert.notEqual(attribute(second, 'ice-ufrag'), attribute(first, 'ice-ufrag'));
    assert.equal((await rig.count()).transports, 2);
    assert.equal((await plays()).length, 1);
  });

  test('another peer connection of the session takes the place of the first', async () => {
    const viewer = session();
    await rig.play('a', viewer, offer('chromium-play-audio-video'));
    await rig.play('a', viewer, offer('chromium-play-audio-video'));
    assert.equal((await plays()).length, 1);
    await eventually('the first to go', async () => (await rig.count()).transports === 2);
  });

  test('is refused above the limit of viewers, which is named; a replaced play counts once', async () => {
    const [first, second] = [session(), session()];
    await rig.play('a', first, offer('chromium-play-audio-video'));
    await rig.play('a', second, offer('chromium-play-audio-video'));
    await assert.rejects(
      rig.play('a', session(), offer('chromium-play-audio-video')),
      (error: unknown) => named('too_many')(error) && /viewers.* 2/.test((error as Error).message),
    );
    await rig.play('a', second, offer('chromium-play-audio-video'));
    await rig.handlers.close({ stream: A, session: first });
    await rig.play('a', session(), offer('chromium-play-audio-video'));
  });

  test('a viewer mutes its own, through renegotiation and another peer connection', async () => {
    const viewer = session();
    const sdp = offer('chromium-play-audio-video');
    await rig.play('a', viewer, sdp);
    const mute = { stream: A, session: viewer };
    assert.deepEqual(await rig.handlers.mute({ ...mute, video: true }), { video: true, audio: false });
    assert.deepEqual(await rig.handlers.mute({ ...mute, audio: true }), { video: true, audio: true });
    assert.deepEqual(await rig.handlers.mute({ ...mute, audio: false }), { video: true, audio: false });
    await rig.play('a', viewer, restarted(sdp));
    assert.deepEqual((await plays())[0]?.muted, { video: true, audio: false });
    await rig.play('a', viewer, offer('firefox-play-audio-video'));
    assert.deepEqual((await plays())[0]?.muted, { video: true, audio: false });
    const stream = (await rig.handlers.stream({ stream: A })).stream;
    assert.deepEqual(stream?.muted, { video: false, audio: false });
  });

  test('a muted stream can be played, and the mute of its publisher outlives its generation', async () => {
    assert.deepEqual(await rig.handlers.mute({ stream: A, session: publisher, video: true }), {
      video: true,
      audio: false,
    });
    await rig.play('a', session(), offer('chromium-play-audio-video'));
    const epoch = (await rig.registry.findStream(A))?.epoch ?? 0;
    await rig.publish('a', publisher, offer('chromium-publish-audio-video'), { epoch });
    assert.deepEqual((await rig.handlers.stream({ stream: A })).stream?.muted, { video: true, audio: false });
  });

  test('a kind that the stream lacks is never muted', async () => {
    const own = session();
    await rig.publish('b', own, offer('chromium-publish-audio-only'));
    const mute = { stream: 'b' as StreamName, session: own, video: true, audio: true };
    assert.deepEqual(await rig.handlers.mute(mute), { video: false, audio: true });
  });

  test('who neither publishes nor plays can mute nothing, and closing nothing is no error', async () => {
    const stranger = session();
    await assert.rejects(
      rig.handlers.mute({ stream: A, session: stranger, video: true }),
      named('stream_not_found'),
    );
    await assert.rejects(
      rig.handlers.mute({ stream: A, session: stranger, role: 'publish', video: true }),
      named('stream_not_found'),
    );
    assert.deepEqual(await rig.handlers.close({ stream: A, session: stranger }), { closed: [] });
  });

  test('close ends what it names, or both', async () => {
    await rig.play('a', publisher, offer('chromium-play-audio-video'));
    assert.deepEqual(await rig.handlers.close({ stream: A, session: publisher, role: 'play' }), {
      closed: ['play'],
    });
    await rig.play('a', publisher, offer('chromium-play-audio-video'));
    assert.deepEqual(await rig.handlers.close({ stream: A, session: publisher }), {
      closed: ['play', 'publish'],
    });
    assert.ok(!rig.notices.some(({ type, session: told }) => type === 'play.ended' && told === publisher));
    assert.deepEqual(await rig.count(), { transports: 0, producers: 0, consumers: 0 });
  });

  test('the end of the stream is told to its viewers; who had not connected could not see it', async () => {
    const viewer = session();
    await rig.play('a', viewer, offer('chromium-play-audio-video'));
    await rig.handlers.close({ stream: A, session: publisher });
    assert.deepEqual(rig.notices.at(-1), {
      type: 'play.ended',
      stream: 'a',
      session: viewer,
      reason: 'publisher_closed',
      transportClosed: false,
    });
  });

  test('release ends everything of a session and tells nobody of its play', async () => {
    const own = session();
    await rig.publish('b', own, offer('chromium-publish-audio-video'));
    await rig.play('a', own, offer('chromium-play-audio-video'));
    const told = rig.notices.length;
    // One is still being begun when the session is released.
    const late = rig.publish('c', own, offer('chromium-publish-audio-only'));
    await eventually('the late claim', () => rig.registry.findStream('c' as StreamName));
    await rig.handlers.release({ session: own });
    await late;
    const types = rig.notices.slice(told).map(({ type }) => type);
    assert.deepEqual(types, ['publish.ended', 'publish.ended']);
    assert.deepEqual(await rig.count(), { transports: 1, producers: 2, consumers: 0 });
    assert.equal(await rig.registry.findStream('b' as StreamName), undefined);
    assert.equal(await rig.registry.findStream('c' as StreamName), undefined);
  });

  test('viewers with events are told of a taken-over stream, and follow in place', async () => {
    const viewer = session();
    const sdp = offer('chromium-play-audio-video');
    await rig.play('a', viewer, sdp, true);
    const epoch = (await rig.registry.findStream(A))?.epoch ?? 0;
    await rig.publish('a', session(), offer('firefox-publish-audio-video'), { displaces: epoch });
    await eventually('the move to be told', () =>
      rig.notices.some(({ type, session: told }) => type === 'play.moved' && told === viewer),
    );
    await rig.play('a', viewer, sdp, true);
    assert.equal((await plays()).length, 1);
    await eventually('the older generation to go', async () => (await rig.count()).transports === 2);
    assert.deepEqual(await rig.count(), { transports: 2, producers: 2, consumers: 2 });
    assert.ok(!rig.notices.some(({ type, session: told }) => type === 'play.ended' && told === viewer));
  });

  test('viewers that do not follow are given up after a moment', async () => {
    const viewer = session();
    await rig.play('a', viewer, offer('chromium-play-audio-video'), true);
    const epoch = (await rig.registry.findStream(A))?.epoch ?? 0;
    await rig.publish('a', session(), offer('firefox-publish-audio-video'), { displaces: epoch });
    await eventually('the play to end', () =>
      rig.notices.some(
        (notice) =>
          notice.type === 'play.ended' && notice.session === viewer && notice.reason === 'displaced',
      ),
    );
    await eventually('the older generation to go', async () => (await rig.count()).transports === 1);
  });
});

describe('A viewer that never connects', () => {
  test('is given up', async (t) => {
    const rig = await startRig({ connectTimeoutMs: 200 });
    t.after(() => rig.close());
    await rig.publish('a', session(), offer('chromium-publish-audio-video'));
    const viewer = session();
    await rig.play('a', viewer, offer('chromium-play-audio-video'));
    await eventually('both to be given up', () => rig.notices.length === 2);
    assert.deepEqual(await rig.count(), { transports: 0, producers: 0, consumers: 0 });
  });
});
