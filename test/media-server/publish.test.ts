import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { MillraceError } from '../../core/protocol/error.ts';
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

const NONE = { transports: 0, producers: 0, consumers: 0 };
const named = (errorName: string) => (error: unknown) => (error as MillraceError).errorName === errorName;

describe('Publishing', () => {
  let rig: Rig;
  before(async () => {
    rig = await startRig({ generationOverlapMs: 300, limits: { streams: 3, viewers: 3 } });
  });
  after(() => rig.close());
  afterEach(() => rig.endAll());

  const report = async (stream: string) =>
    (await rig.handlers.stream({ stream: stream as StreamName })).stream;
  const end = (stream: string) => rig.handlers.end({ stream: stream as StreamName });

  test('answers with the tracks, and they are in the worker', async () => {
    const own = session();
    const { sdp, epoch } = await rig.publish('a', own, offer('chromium-publish-audio-video'));
    assert.deepEqual(acceptedKinds(sdp), ['audio', 'video']);
    assert.deepEqual(await rig.count(), { transports: 1, producers: 2, consumers: 0 });
    const seen = await report('a');
    assert.equal(seen?.epoch, epoch);
    assert.equal(seen?.session, own);
    assert.equal(seen?.live, true);
    assert.deepEqual(seen?.tracks.map(({ kind, codec }) => `${kind} ${codec}`).sort(), [
      'audio opus',
      'video VP8',
    ]);
    await end('a');
    assert.deepEqual(await rig.count(), NONE);
  });

  test('simulcast has its encodings', async () => {
    await rig.publish('a', session(), offer('firefox-publish-simulcast'));
    const video = (await report('a'))?.tracks.find(({ kind }) => kind === 'video');
    assert.equal(video?.encodings, 3);
  });

  test('a limit is answered, and lowered to the server’s when it is above', async () => {
    const { sdp } = await rig.publish('a', session(), offer('chromium-publish-audio-video'), {
      maxBitrateBps: 700_000,
    });
    assert.match(sdp, /b=TIAS:700000\r\n/);
    await end('a');
    const high = await rig.publish('a', session(), offer('chromium-publish-audio-video'), {
      maxBitrateBps: 2 ** 64 - 1,
    });
    assert.match(high.sdp, /b=TIAS:4000000\r\n/);
  });

  test('an offer that cannot be answered fails and leaves nothing', async () => {
    await assert.rejects(rig.publish('a', session(), 'v=0'), named('invalid_sdp'));
    const unknown = offer('chromium-publish-audio-only').replaceAll('opus/', 'unknown/');
    await assert.rejects(rig.publish('a', session(), unknown), named('no_common_codec'));
    await assert.rejects(
      rig.publish('a', session(), offer('chromium-play-audio-video')),
      named('invalid_sdp'),
    );
    assert.deepEqual(await rig.count(), NONE);
    assert.equal(await report('a'), null);
  });

  test('the same peer connection renegotiates in place', async () => {
    const own = session();
    const sound = offer('chromium-publish-audio-only');
    const first = await rig.publish('a', own, sound);
    const both = offerOfSamePeer(sound, 'chromium-publish-audio-video');
    const second = await rig.publish('a', own, both, { epoch: first.epoch });
    assert.deepEqual(acceptedKinds(second.sdp), ['audio', 'video']);
    assert.equal(attribute(second.sdp, 'ice-ufrag'), attribute(first.sdp, 'ice-ufrag'));
    assert.deepEqual(await rig.count(), { transports: 1, producers: 2, consumers: 0 });
    const third = await rig.publish('a', own, both, { epoch: first.epoch });
    assert.deepEqual(await rig.count(), { transports: 1, producers: 2, consumers: 0 });
    const origins = [first, second, third].map(({ sdp }) =>
      /^o=- (\d+) (\d+) /m.exec(sdp)?.slice(1).map(Number),
    );
    assert.equal(new Set(origins.map((origin) => origin?.[0])).size, 1, 'one session id for one transport');
    assert.deepEqual(
      origins.map((origin) => origin?.[1]),
      [1, 2, 3],
    );
  });

  test('a new ufrag of the same peer connection restarts ICE on the same transport', async () => {
    const own = session();
    const sdp = offer('chromium-publish-audio-video');
    const first = await rig.publish('a', own, sdp);
    const second = await rig.publish('a', own, restarted(sdp), { epoch: first.epoch });
    assert.notEqual(attribute(second.sdp, 'ice-ufrag'), attribute(first.sdp, 'ice-ufrag'));
    assert.equal(attribute(second.sdp, 'fingerprint'), attribute(first.sdp, 'fingerprint'));
    assert.deepEqual(await rig.count(), { transports: 1, producers: 2, consumers: 0 });
  });

  test('a changed simulcast makes a new producer, a paused section keeps the old', async () => {
    const own = session();
    const sdp = offer('chromium-publish-audio-video');
    const { epoch } = await rig.publish('a', own, sdp);
    await rig.publish('a', own, offerOfSamePeer(sdp, 'chromium-publish-simulcast'), { epoch });
    assert.deepEqual(await rig.count(), { transports: 1, producers: 2, consumers: 0 });
    assert.equal((await report('a'))?.tracks.find(({ kind }) => kind === 'video')?.encodings, 3);
    const paused = offerOfSamePeer(sdp, 'chromium-publish-simulcast').replaceAll('a=sendonly', 'a=inactive');
    const answer = await rig.publish('a', own, paused, { epoch });
    assert.deepEqual(acceptedKinds(answer.sdp), ['audio', 'video']);
    assert.equal(answer.sdp.match(/^a=inactive/gm)?.length, 2);
    assert.deepEqual(await rig.count(), { transports: 1, producers: 2, consumers: 0 });
  });

  test('another peer connection is a second transport, and the first goes in the end', async () => {
    const own = session();
    const { epoch } = await rig.publish('a', own, offer('chromium-publish-audio-video'));
    await rig.publish('a', own, offer('chromium-publish-audio-video'), { epoch });
    // The first never connected, so nobody can be watching it.
    await eventually('the first transport to go', async () => (await rig.count()).transports === 1);
    assert.equal((await report('a'))?.session, own);
  });

  test('an older epoch is refused, also after the stream has ended', async () => {
    const own = session();
    const { epoch } = await rig.publish('a', own, offer('chromium-publish-audio-video'));
    const late = { epoch: epoch - 1 };
    await assert.rejects(
      rig.publish('a', session(), offer('chromium-publish-audio-video'), late),
      named('stream_already_published'),
    );
    await assert.rejects(
      rig.publish('a', session(), offer('chromium-publish-audio-video'), { epoch }),
      named('stream_already_published'),
    );
    await end('a');
    await assert.rejects(
      rig.publish('a', own, offer('chromium-publish-audio-video'), late),
      named('stream_already_published'),
    );
    // The registry was told of the end: a stream with that epoch would be nobody's.
    await assert.rejects(
      rig.publish('a', own, offer('chromium-publish-audio-video'), { epoch }),
      named('stream_ended'),
    );
    assert.deepEqual(await rig.count(), NONE);
  });

  test('a higher epoch takes the stream over, and the older session is told', async () => {
    const [older, newer] = [session(), session()];
    const first = await rig.publish('a', older, offer('chromium-publish-audio-video'));
    const second = await rig.publish('a', newer, offer('firefox-publish-audio-video'), {
      displaces: first.epoch,
    });
    await eventually('the older to be told', () =>
      rig.notices.some(
        (notice) =>
          notice.type === 'publish.ended' &&
          notice.session === older &&
          notice.epoch === first.epoch &&
          notice.reason === 'displaced',
      ),
    );
    assert.equal((await report('a'))?.epoch, second.epoch);
    await rig.handlers.close({ stream: 'a' as StreamName, session: newer });
    assert.equal(await report('a'), null);
    assert.equal(await rig.registry.findStream('a' as StreamName), undefined);
    assert.deepEqual(await rig.count(), NONE);
  });

  test('is refused above the limit of streams, which is named', async () => {
    for (const name of ['a', 'b', 'c'])
      await rig.publish(name, session(), offer('chromium-publish-audio-only'));
    await assert.rejects(
      rig.publish('d', session(), offer('chromium-publish-audio-only')),
      (error: unknown) => named('too_many')(error) && /streams.* 3/.test((error as Error).message),
    );
    const { streams } = await rig.handlers.streams({ limit: 2 });
    assert.deepEqual(
      streams.map(({ stream }) => stream),
      ['a', 'b'],
    );
    const rest = await rig.handlers.streams({ after: 'b', limit: 2 });
    assert.deepEqual(
      rest.streams.map(({ stream }) => stream),
      ['c'],
    );
    await end('b');
    await rig.publish('e', session(), offer('chromium-publish-audio-only'));
  });

  test('many at once for one name leave one stream and one transport', async () => {
    const own = session();
    const { epoch } = await rig.publish('a', own, offer('chromium-publish-audio-video'));
    await Promise.all(
      Array.from({ length: 8 }, () =>
        rig.publish('a', own, offer('chromium-publish-audio-video'), { epoch }),
      ),
    );
    await eventually('the others to go', async () => (await rig.count()).transports === 1);
    await end('a');
    assert.deepEqual(await rig.count(), NONE);
  });
});

describe('A publisher that never connects', () => {
  test('is given up, and its stream released', async (t) => {
    const rig = await startRig({ connectTimeoutMs: 100 });
    t.after(() => rig.close());
    const own = session();
    const { epoch } = await rig.publish('a', own, offer('chromium-publish-audio-video'));
    await eventually('the end to be told', () => rig.notices.length > 0);
    assert.deepEqual(rig.notices, [
      { type: 'publish.ended', stream: 'a', session: own, epoch, reason: 'transport_lost' },
    ]);
    assert.deepEqual(await rig.count(), NONE);
    await eventually('the release', async () => !(await rig.registry.findStream('a' as StreamName)));
  });
});
