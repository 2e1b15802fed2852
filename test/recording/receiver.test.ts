import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser } from 'puppeteer-core';
import { launchBrowser } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { type Rig, startRig } from '../media-server/harness/rig.ts';
import { type Listener, missing } from './harness/listener.ts';
import { openPublisher, type Publisher } from './harness/publisher.ts';
import { type Receiving, startReceiving } from './harness/receiving.ts';

const SOURCE = { address: 'a', epoch: 1 };
const KINDS = ['audio', 'video'] as const;

describe('A receiver', () => {
  let browser: Browser;
  let rig: Rig;
  before(async () => {
    [browser, rig] = await Promise.all([launchBrowser('chromium'), startRig({ workers: 2 })]);
  });
  after(async () => {
    await browser.close();
    await rig.close();
  });

  /** A stream of its own that is published, received, and listened to. */
  async function begin(
    t: TestContext,
    options: object = {},
  ): Promise<Receiving & { readonly publisher: Publisher; readonly listener: Listener }> {
    const publisher = await openPublisher(browser, rig, t.name);
    t.after(() => publisher.page.close());
    await publisher.publish(options);
    const receiving = await startReceiving(t, { a: rig.server }, t.name);
    receiving.receiver.follow(SOURCE);
    return { ...receiving, publisher, listener: await receiving.listen() };
  }

  const hasMedia = (listener: Listener) =>
    eventually('media of both', () =>
      KINDS.every((kind) => listener.packets(listener.track(kind)).length > 20),
    );

  test('tells of a stream: its tracks, its packets without a hole, sender reports of both', async (t) => {
    const { receiver, listener } = await begin(t);
    await eventually('packets', () => listener.of('rtp').length > 200);
    await eventually('sender reports of both', () => listener.reported().size >= 2);
    assert.equal(listener.events[0]?.type, 'hello');
    assert.deepEqual(
      KINDS.map((kind) => listener.track(kind)).map(({ codec, clockRateHz, muted }) => ({
        codec,
        clockRateHz,
        muted,
      })),
      [
        { codec: 'opus', clockRateHz: 48_000, muted: false },
        { codec: 'VP8', clockRateHz: 90_000, muted: false },
      ],
    );
    for (const kind of KINDS) {
      const track = listener.track(kind);
      const packets = listener.packets(track);
      assert.ok(packets.length > 30, `${packets.length} ${kind} packets`);
      assert.ok(packets.every(({ payloadType }) => payloadType === track.payloadType));
      assert.equal(missing(packets), 0);
      assert.ok(track.ssrcs.every((ssrc) => listener.reported().has(ssrc)));
      assert.ok(listener.events.indexOf(track) < listener.events.findIndex(({ type }) => type === 'rtp'));
    }
    assert.equal(listener.keyFramesAtMs(listener.track('video')).length > 0, true);
    const { silentMs, ...state } = receiver.state;
    assert.deepEqual(state, { receiving: true, problem: undefined });
    assert.ok(silentMs < 1000, `silent for ${silentMs} ms`);
    assert.ok(listener.of('tick').length > 10);
  });

  test('gives a muxer that comes later all that was not durable, each packet once, and goes on', async (t) => {
    const { listener, listen } = await begin(t);
    await hasMedia(listener);
    const durable = listener.of('rtp').at(-20);
    assert.ok(durable);
    listener.ask({ type: 'durable', atMs: durable.atMs });
    await eventually('more packets', () => (listener.of('rtp').at(-1)?.atMs ?? 0) > durable.atMs + 500);
    const closed = once(listener.socket, 'close');
    const successor = await listen();
    await closed;
    await eventually('what came meanwhile', () => successor.of('rtp').length > 200);
    assert.deepEqual(successor.events[0], listener.events[0]);
    for (const kind of KINDS) {
      assert.deepEqual(successor.track(kind), listener.track(kind));
      const packets = successor.packets(successor.track(kind));
      assert.equal(missing(packets), 0);
      assert.equal(new Set(packets.map(({ sequenceNumber }) => sequenceNumber)).size, packets.length);
    }
    const [first] = successor.of('rtp');
    assert.equal(first?.atMs, durable.atMs);
    // Together they have the stream without a hole.
    const both = [...listener.of('rtp').filter(({ atMs }) => atMs < durable.atMs), ...successor.of('rtp')];
    assert.deepEqual(
      both.slice(0, listener.of('rtp').length).map(({ packet }) => packet),
      listener.of('rtp').map(({ packet }) => packet),
    );
  });

  test('gives all encodings of simulcast, each with its SSRC and reports', async (t) => {
    const { listener } = await begin(t, { simulcast: true, width: 640, height: 480, colour: 'noise' });
    const video = await eventually('the video', () => listener.track('video'));
    assert.equal(video.ssrcs.length, 2);
    await eventually('packets of each', () =>
      video.ssrcs.every((ssrc) => listener.packets(video, ssrc).length > 50),
    );
    await eventually('reports of each', () => video.ssrcs.every((ssrc) => listener.reported().has(ssrc)));
    const bytes = video.ssrcs.map((ssrc) =>
      listener.packets(video, ssrc).reduce((sum, packet) => sum + packet.bytes.length, 0),
    );
    assert.ok((bytes[0] ?? 0) < (bytes[1] ?? 0), `lowest first: ${bytes}`);
    for (const ssrc of video.ssrcs) assert.equal(missing(listener.packets(video, ssrc)), 0);
  });

  test('tells of mutes; what comes back begins with a key frame', async (t) => {
    const { publisher, listener, receiver } = await begin(t);
    await hasMedia(listener);
    const video = listener.track('video');
    await publisher.mute({ video: true });
    const muted = await eventually('the mute', () => listener.of('muted')[0]);
    assert.deepEqual({ ...muted, atMs: 0 }, { type: 'muted', track: video.track, muted: true, atMs: 0 });
    const audioBefore = listener.packets(listener.track('audio')).length;
    await eventually(
      'sound to go on',
      () => listener.packets(listener.track('audio')).length > audioBefore + 50,
    );
    // What was under way may still come.
    const late = listener.packets(video).filter(({ atMs }) => atMs > muted.atMs + 200);
    assert.equal(late.length, 0);
    assert.equal(receiver.state.receiving, true);
    await publisher.mute({ video: false });
    const unmuted = await eventually('the end of the mute', () => listener.of('muted')[1]);
    assert.equal(unmuted.muted, false);
    const next = await eventually('packets', () =>
      listener.packets(video).find(({ atMs }) => atMs > muted.atMs + 200),
    );
    assert.ok(listener.keyFramesAtMs(video).includes(next.atMs));
  });

  test('has a stream that is muted already, and its media when that is over', async (t) => {
    const publisher = await openPublisher(browser, rig, t.name);
    t.after(() => publisher.page.close());
    await publisher.publish();
    await publisher.mute({ audio: true, video: true });
    const { receiver, listen } = await startReceiving(t, { a: rig.server }, t.name);
    receiver.follow(SOURCE);
    const listener = await listen();
    await eventually('to receive', () => receiver.state.receiving);
    await eventually('both tracks', () => listener.of('track').length === KINDS.length);
    assert.deepEqual(
      KINDS.map((kind) => listener.track(kind).muted),
      [true, true],
    );
    await publisher.mute({ audio: false, video: false });
    await hasMedia(listener);
  });

  test('asks for a key frame when the muxer does', async (t) => {
    const { listener } = await begin(t);
    await hasMedia(listener);
    const video = listener.track('video');
    const before = listener.keyFramesAtMs(video).length;
    await eventually('another key frame', () => {
      listener.ask({ type: 'key-frame', track: video.track });
      return listener.keyFramesAtMs(video).length > before;
    });
    // A track that there is not is nobody's.
    listener.ask({ type: 'key-frame', track: 999 });
    const packets = listener.of('rtp').length;
    await eventually('to go on', () => listener.of('rtp').length > packets + 20);
  });

  test('follows tracks that are added, and says which cannot be recorded', async (t) => {
    const { publisher, receiver, listener } = await begin(t, { codec: 'H264' });
    await eventually('sound', () => listener.packets(listener.track('audio')).length > 20);
    assert.throws(() => listener.track('video'));
    assert.match(receiver.state.problem ?? '', /video.*H264/);
    assert.equal(receiver.state.receiving, true);
    // The same connection offers VP8 for the same section.
    await publisher.renegotiate(`
      const [, video] = pc.getTransceivers();
      video.setCodecPreferences(RTCRtpSender.getCapabilities('video').codecs.filter(({ mimeType }) => /vp8|rtx/i.test(mimeType)));
    `);
    await hasMedia(listener);
    assert.equal(listener.track('video').codec, 'VP8');
    assert.equal(receiver.state.problem, undefined);
  });
});
