import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser } from 'puppeteer-core';
import type { MediaServerSettings } from '../../media-server/index.ts';
import { launchBrowser } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { loseFrom } from '../harness/network-fault.ts';
import { type Rig, startRig } from '../media-server/harness/rig.ts';
import { type Listener, missing, type RtpPacket, type Track } from './harness/listener.ts';
import { openPublisher, type Publisher } from './harness/publisher.ts';
import { type Receiving, startReceiving } from './harness/receiving.ts';

const SOURCE = { address: 'a', epoch: 1 };
const KINDS = ['audio', 'video'] as const;

let nextPort = 29_000 + (process.pid % 500) * 6;

describe('A receiver goes on', () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser('chromium');
  });
  after(() => browser.close());

  interface Scene extends Receiving {
    readonly rig: Rig;
    readonly publisher: Publisher;
    readonly listener: Listener;
  }

  /** A media server, a stream on it with a picture and a tone, and a receiver of it that has media. */
  async function begin(
    t: TestContext,
    settings: Partial<MediaServerSettings> = {},
    options: object = {},
  ): Promise<Scene> {
    const rig = await startRig(settings);
    t.after(() => rig.close());
    const publisher = await openPublisher(browser, rig, 'a');
    t.after(() => publisher.page.close());
    await publisher.publish(options);
    const receiving = await startReceiving(t, { a: rig.server }, 'a');
    receiving.receiver.follow(SOURCE);
    const listener = await receiving.listen();
    await hasMedia(listener);
    return { ...receiving, rig, publisher, listener };
  }

  /** Waits until the newest tracks of both kinds have packets. @returns those tracks */
  function hasMedia(listener: Listener, since: readonly Track[] = []): Promise<readonly Track[]> {
    return eventually<readonly Track[] | undefined>('media of both kinds', () => {
      const tracks = KINDS.map((kind) => listener.track(kind));
      const fresh = tracks.every((track) => !since.includes(track) && listener.packets(track).length > 20);
      return fresh ? tracks : undefined;
    });
  }

  /** The longest time without a packet of a kind, whatever track brings it. */
  function longestGapMs(listener: Listener, kind: Track['kind']): number {
    const times = listener
      .of('track')
      .filter((track) => track.kind === kind)
      .flatMap((track) => listener.packets(track).map(({ atMs }) => atMs))
      .sort((a, b) => a - b);
    return Math.max(...times.slice(1).map((atMs, index) => atMs - (times[index] ?? atMs)));
  }

  test('through a loss of 5 % on the pipe: what is lost is sent again', async (t) => {
    const port = nextPort++;
    const { listener } = await begin(
      t,
      { pipePorts: { min: port, max: port } },
      { colour: 'noise', width: 640, height: 480, fps: 30 },
    );
    const fault = loseFrom(port, 0.05);
    t.after(() => fault.remove());
    const before = KINDS.map((kind) => listener.packets(listener.track(kind)).length);
    await eventually(
      '2000 packets more',
      () => listener.of('rtp').length > (before[0] ?? 0) + (before[1] ?? 0) + 2000,
      {
        timeoutMs: 60_000,
      },
    );
    const dropped = fault.dropped();
    assert.ok(dropped > 50, `the fault dropped ${dropped} packets`);
    for (const kind of KINDS) {
      const packets = listener.packets(listener.track(kind));
      // The last ones may be under way for the second time.
      const lost = missing(packets, (packets.at(-1)?.atMs ?? 0) - 1000);
      t.diagnostic(
        `${kind}: ${packets.length} packets, ${lost} missing, ${late(packets)} late; ${dropped} dropped`,
      );
      assert.ok(lost <= packets.length * 0.001, `${lost} of ${packets.length} ${kind} packets are missing`);
    }
  });

  test('with the next generation of the stream, and has both for a moment', async (t) => {
    const { publisher, listener, channels } = await begin(t);
    const older = KINDS.map((kind) => listener.track(kind));
    await publisher.publish();
    const newer = await hasMedia(listener, older);
    await eventually('the older to end', () => listener.of('ended').length === 2);
    assert.deepEqual(
      listener
        .of('ended')
        .map(({ track }) => track)
        .sort(),
      older.map(({ track }) => track).sort(),
    );
    for (const track of newer) assert.ok(!older.some(({ producerId }) => producerId === track.producerId));
    const endedAt = listener.events.findIndex(({ type }) => type === 'ended');
    const firstOfNewer = listener.events.indexOf(newer[0] as Track);
    assert.ok(firstOfNewer < endedAt, 'the newer begins before the older ends');
    const beganAtMs = newer[0]?.atMs ?? 0;
    for (const track of older) {
      const both = listener.packets(track).filter(({ atMs }) => atMs > beganAtMs + 300);
      assert.ok(both.length > 0, `the older ${track.kind} goes on beside the newer`);
    }
    assert.equal(channels.length, 1);
    for (const kind of KINDS) {
      const gapMs = longestGapMs(listener, kind);
      assert.ok(gapMs < 1000, `no ${kind} for ${gapMs} ms`);
    }
  });

  test('after the media server’s worker died, when the stream is published again', async (t) => {
    const { rig, publisher, listener, receiver } = await begin(t);
    const older = KINDS.map((kind) => listener.track(kind));
    process.kill(rig.workers[0]?.pid ?? 0, 'SIGKILL');
    await eventually('the tracks to end', () => listener.of('ended').length === 2);
    assert.equal(receiver.state.receiving, false);
    await publisher.forget();
    await eventually('a new worker that takes it', async () => {
      await publisher.publish();
      return true;
    });
    const newer = await hasMedia(listener, older);
    assert.ok(newer.every(({ producerId }) => older.every((track) => track.producerId !== producerId)));
    await eventually('to receive', () => receiver.state.receiving);
  });

  test('after its channel was lost, with the same producers', async (t) => {
    const { listener, channels } = await begin(t);
    const older = KINDS.map((kind) => listener.track(kind));
    channels[0]?.close();
    const newer = await hasMedia(listener, older);
    assert.deepEqual(
      newer.map(({ producerId }) => producerId),
      older.map(({ producerId }) => producerId),
    );
    assert.equal(listener.of('ended').length, 2);
    assert.equal(channels.length, 1);
    for (const [index, track] of newer.entries()) {
      const gapMs = longestGapMs(listener, track.kind);
      assert.ok(gapMs < 1000, `no ${track.kind} for ${gapMs} ms`);
      const last = listener.packets(older[index] as Track).at(-1);
      const [first] = listener.packets(track);
      assert.ok(last && first);
      // One clock: what its timestamps went on by is what passed meanwhile.
      const passedMs = (((first.timestamp - last.timestamp) | 0) * 1000) / track.clockRateHz;
      assert.ok(Math.abs(passedMs - (first.atMs - last.atMs)) < 500, `${passedMs} ms by its timestamps`);
    }
  });

  test('when its pipe leads nowhere any more while its channel is fine', async (t) => {
    const port = nextPort++;
    const { listener } = await begin(t, { pipePorts: { min: port, max: port } });
    const older = KINDS.map((kind) => listener.track(kind));
    const fault = loseFrom(port, 1);
    await eventually('the pipe to be given up', () => listener.of('ended').length === 2);
    // The one port can be had again only as the old pipe goes first.
    fault.remove();
    const newer = await hasMedia(listener, older);
    assert.deepEqual(
      newer.map(({ producerId }) => producerId),
      older.map(({ producerId }) => producerId),
    );
  });

  test('on another media server, when the stream is published there', async (t) => {
    const { listener, publisher, receiver, ...first } = await begin(t);
    const older = KINDS.map((kind) => listener.track(kind));
    const elsewhere = await startRig();
    t.after(() => elsewhere.close());
    const other = await openPublisher(browser, elsewhere, 'a');
    t.after(() => other.page.close());
    await other.publish();
    first.servers.b = elsewhere.server;
    receiver.follow({ address: 'b', epoch: 2 });
    const newer = await hasMedia(listener, older);
    await eventually('the older to end', () => listener.of('ended').length === 2);
    assert.ok(newer.every(({ producerId }) => older.every((track) => track.producerId !== producerId)));
    // Nowhere: what there is goes on until it ends.
    receiver.follow(null);
    const packets = listener.of('rtp').length;
    await eventually('media to go on', () => listener.of('rtp').length > packets + 50);
    await other.stop();
    await eventually('the end', () => listener.of('ended').length === 4);
    assert.equal(receiver.state.receiving, false);
    // And comes back.
    await other.publish();
    receiver.follow({ address: 'b', epoch: 3 });
    await hasMedia(listener, [...older, ...newer]);
    await publisher.stop();
  });
});

/** Packets that came after one with a higher number. */
function late(packets: readonly RtpPacket[]): number {
  return packets.filter(({ sequenceNumber }, index) => {
    const before = packets[index - 1]?.sequenceNumber ?? sequenceNumber;
    return ((sequenceNumber - before + 0x8000) & 0xffff) - 0x8000 < 0;
  }).length;
}
