import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { pino } from 'pino';
import type { Browser } from 'puppeteer-core';
import type { StreamName } from '../../core/protocol/stream-name.ts';
import { ensureWorker } from '../../media-server/worker/cache.js';
import { Receiver, type ReceiverOptions } from '../../recorder/receiver/receiver.ts';
import { launchBrowser } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { pipeChannel } from '../media-server/harness/pipe-channel.ts';
import { type Rig, startRig } from '../media-server/harness/rig.ts';
import { Listener, missing, type Track } from './harness/listener.ts';
import { openPublisher } from './harness/publisher.ts';

const SOURCE = { address: 'a', epoch: 1 };

let browser: Browser;
before(async () => {
  browser = await launchBrowser('chromium');
});
after(() => browser.close());

async function startReceiver(
  t: TestContext,
  rig: Rig,
  stream: string,
  more: Partial<ReceiverOptions> = {},
): Promise<{ readonly receiver: Receiver; readonly listen: () => Promise<Listener> }> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-receiver-'));
  const socketPath = join(folder, 'socket');
  const receiver = await Receiver.start({
    stream: stream as StreamName,
    socketPath,
    workerBin: await ensureWorker(),
    pipeListen: { ip: '127.0.0.1' },
    connect: () => pipeChannel(rig.server),
    log: pino({ level: process.env.RECEIVER_LOG ?? 'silent' }),
    onWorkerDied: () => {},
    ...more,
  });
  const listeners: Listener[] = [];
  t.after(async () => {
    for (const listener of listeners) listener.close();
    await receiver.close();
    rmSync(folder, { recursive: true });
  });
  const listen = async () => {
    const listener = await Listener.connect(socketPath);
    listeners.push(listener);
    return listener;
  };
  return { receiver, listen };
}

function trackOf(listener: Listener, kind: 'audio' | 'video'): Track {
  const track = listener.of('track').findLast((each) => each.kind === kind);
  assert.ok(track, `no ${kind} track`);
  return track;
}

describe('A receiver', () => {
  let rig: Rig;
  before(async () => {
    rig = await startRig({ workers: 2 });
  });
  after(() => rig.close());

  test('tells of a stream: its tracks, its packets without a hole, sender reports of both', async (t) => {
    const publisher = await openPublisher(browser, rig, 'a');
    t.after(() => publisher.page.close());
    await publisher.publish();
    const { receiver, listen } = await startReceiver(t, rig, 'a');
    receiver.follow(SOURCE);
    const listener = await listen();
    await eventually('packets', () => listener.of('rtp').length > 200);
    await eventually('sender reports of both', () => listener.reported().size >= 2);
    assert.equal(listener.events[0]?.type, 'hello');
    assert.deepEqual(
      listener
        .of('track')
        .map(({ kind, codec, clockRateHz, muted }) => ({ kind, codec, clockRateHz, muted }))
        .sort((a, b) => a.kind.localeCompare(b.kind)),
      [
        { kind: 'audio', codec: 'opus', clockRateHz: 48_000, muted: false },
        { kind: 'video', codec: 'VP8', clockRateHz: 90_000, muted: false },
      ],
    );
    for (const kind of ['audio', 'video'] as const) {
      const track = trackOf(listener, kind);
      const packets = listener.packets(track);
      assert.ok(packets.length > 30, `${packets.length} ${kind} packets`);
      assert.ok(packets.every(({ payloadType }) => payloadType === track.payloadType));
      assert.equal(missing(packets), 0);
      assert.ok(track.ssrcs.every((ssrc) => listener.reported().has(ssrc)));
    }
    assert.deepEqual(
      { ...receiver.state, silentMs: 0 },
      { receiving: true, silentMs: 0, problem: undefined },
    );
  });
});
