import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Browser } from 'puppeteer-core';
import { openFolder } from '../../adapters/storage/folder/folder.ts';
import type { PipeCalls, PipeChannel } from '../../core/channel/pipes.ts';
import { parseStreamName } from '../../core/protocol/stream-name.ts';
import { parseFileName } from '../../core/recording/file-name.ts';
import { MuxerProcess } from '../../recorder/muxer/muxer-process.ts';
import { keysIn, silent, specOf, temporaryFolder } from '../../recorder/store/harness/trial.ts';
import type { MuxerNotice } from '../../recorder/supervisor-message.ts';
import { launchBrowser } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { pipeChannel } from '../media-server/harness/pipe-channel.ts';
import { type Rig, startRig } from '../media-server/harness/rig.ts';
import { drawnCounters, publishCounter } from './harness/counter-publisher.ts';
import { playable } from './harness/playable.ts';
import { openPublisher } from './harness/publisher.ts';
import { startReceiving } from './harness/receiving.ts';
import { UdpRelay, type Weather } from './harness/udp-relay.ts';

const RECORDED_MS = 15_000;
const SETTLED_MS = 12_000;
/** Before that. */
const UNSETTLED_APART_MS = 100;
const TICK_MS = 250;
const SEED = 20_261_123;

interface Case {
  readonly weather: Weather;
  /** Share of the pictures that may be missing, and of the sound's time that may be silent. */
  readonly missing: number;
  readonly silent: number;
  readonly holeMs: number;
  /** Of sound and picture to each other, in the middle of all beeps from `settledMs` on. */
  readonly apartMs: number;
  /** Sound is reported of every 5 s: one report may be wrong by what it was delayed, three are not. 0 if absent. */
  readonly settledMs?: number;
}

const CASES: Readonly<Record<string, Case>> = {
  'fair weather': { weather: {}, missing: 0.05, silent: 0.02, holeMs: 500, apartMs: 40 },
  '5 % loss': { weather: { loss: 0.05 }, missing: 0.05, silent: 0.02, holeMs: 700, apartMs: 40 },
  '10 % reordering': { weather: { reordering: 0.1 }, missing: 0.05, silent: 0.02, holeMs: 500, apartMs: 40 },
  '300 ms of jitter': {
    weather: { jitterMs: 300 },
    ...{ missing: 0.05, silent: 0.03, holeMs: 700, apartMs: 40, settledMs: SETTLED_MS },
  },
  // What is sent again takes 600 ms at worst, and may be lost again: the picture waits for a key frame then.
  'all of it': {
    weather: { loss: 0.05, reordering: 0.1, jitterMs: 300 },
    ...{ missing: 0.15, silent: 0.05, holeMs: 2000, apartMs: 40, settledMs: SETTLED_MS },
  },
};

describe('Between a media server and a recorder', () => {
  let browser: Browser;
  let rig: Rig;
  before(async () => {
    [browser, rig] = await Promise.all([launchBrowser('chromium'), startRig()]);
  });
  after(async () => {
    await browser.close();
    await rig.close();
  });

  for (const [what, each] of Object.entries(CASES)) {
    const { weather, missing, silent: maxSilent, holeMs, apartMs, settledMs = 0 } = each;
    test(`${what}: sound and picture are recorded together`, async (t) => {
      const { file, drawn, relays, gaps } = await record(t, what, each, browser, rig);
      const { outline, measurement } = await playable(file, { drawn });
      const { pictures, framesLost, unreadable, longestHoleMs, silences, offsets, medianOffsetMs } =
        measurement;
      const silentMs = silences.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
      const durationMs = outline.durationMs ?? 0;
      t.diagnostic(
        `${Math.round(durationMs)} ms; ${framesLost} of ${pictures.length} pictures missing, ${unreadable} unreadable, longest hole ${Math.round(longestHoleMs)} ms; ${Math.round(silentMs)} ms silent in ${silences.length}; sound ${medianOffsetMs.toFixed(1)} ms behind, at worst ${measurement.worstOffsetMs.toFixed(1)} (${offsets.length} beeps); gaps ${JSON.stringify(gaps)}; packets ${JSON.stringify(relays.map(({ counts }) => counts))}`,
      );
      assert.ok(relays.every(({ counts }) => counts.passed > 0));
      if (weather.loss) assert.ok(relays.some(({ counts }) => counts.lost > 20));
      assert.ok(durationMs >= RECORDED_MS + settledMs - 1000, `${durationMs} ms`);
      assert.ok(framesLost <= pictures.length * missing, `${framesLost} of ${pictures.length} are missing`);
      assert.equal(unreadable, 0);
      assert.ok(longestHoleMs <= holeMs, `a hole of ${longestHoleMs} ms`);
      // Nothing is missing for long without being told.
      assert.ok(longestHoleMs < 500 || gaps.count > 0, `a hole of ${longestHoleMs} ms is no gap`);
      assert.ok(silentMs <= durationMs * maxSilent, `${silentMs} ms are silent`);
      assert.ok(offsets.length >= 5, `${offsets.length} beeps`);
      const settled = offsets.filter(({ ptsMs }) => ptsMs >= settledMs).map(({ offsetMs }) => offsetMs);
      const apart = settled.toSorted((one, other) => one - other)[settled.length >> 1] ?? Number.NaN;
      t.diagnostic(`${apart.toFixed(1)} ms apart in the end`);
      assert.ok(Math.abs(apart) <= apartMs, `${apart} ms apart`);
      assert.ok(Math.abs(medianOffsetMs) <= UNSETTLED_APART_MS, `${medianOffsetMs} ms apart`);
    });
  }
});

/** Receiver and muxer in this process, with a store on a folder; pipes go through a relay. */
async function record(t: TestContext, what: string, each: Case, browser: Browser, rig: Rig) {
  const { weather, settledMs = 0 } = each;
  const stream = what.replaceAll(/\W+/g, '-');
  const folder = await temporaryFolder(t);
  const storage = join(folder, 'storage');
  const objects = openFolder(storage);
  const relays: UdpRelay[] = [];
  const publisher = await openPublisher(browser, rig, stream);
  t.after(() => publisher.page.close());
  await publishCounter(publisher.page, stream);
  const socketPath = join(folder, 'source');
  const { receiver } = await startReceiving(t, {}, stream, {
    socketPath,
    connect: () => throughRelay(pipeChannel(rig.server), weather, relays),
  });
  receiver.follow({ address: 'a', epoch: 1 });
  const notices: MuxerNotice[] = [];
  const spec = specOf({ stream: parseStreamName(stream), key: parseFileName(`${stream}.webm`) });
  const muxer = new MuxerProcess(
    {
      ...{ objects, spoolDirectory: join(folder, 'spool'), log: silent, now: () => performance.now() },
      tell: (notice) => notices.push(notice),
    },
    { type: 'start', spec, epoch: 1, socketPath, mode: 'record' },
  );
  const ticker = setInterval(() => muxer.tick(), TICK_MS);
  t.after(async () => {
    clearInterval(ticker);
    await muxer.leave();
    for (const relay of relays) relay.close();
    objects.close();
  });
  const heard = (type: MuxerNotice['type']) =>
    eventually(type, () => {
      assert.deepEqual(
        notices.filter((notice) => notice.type === 'failed'),
        [],
      );
      return notices.some((notice) => notice.type === type);
    });
  await eventually('enough of it', () => muxer.progress.durableMs >= RECORDED_MS + settledMs, {
    timeoutMs: 60_000,
  });
  muxer.obey({ type: 'flush' });
  await heard('flushed');
  const { gaps } = muxer.progress;
  muxer.obey({ type: 'finish' });
  await heard('finished');
  assert.deepEqual(await keysIn(objects), [spec.key]);
  return { file: join(storage, spec.key), drawn: await drawnCounters(publisher.page), relays, gaps };
}

/** The two ends of each pipe are told the relay's address in place of the other's. */
function throughRelay(channel: PipeChannel, weather: Weather, relays: UdpRelay[]): PipeChannel {
  return new Proxy(channel, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== 'call') return typeof value === 'function' ? value.bind(target) : value;
      return async (method: keyof PipeCalls, request: never, options: never) => {
        if (method !== 'open') return target.call(method, request, options);
        const { end, ...rest } = request as PipeCalls['open']['request'];
        const relay = await UdpRelay.open(weather, SEED + relays.length);
        relays.push(relay);
        relay.join('right', end);
        const reply = await target.call('open', { ...rest, end: { ...end, ...relay.forLeft } }, options);
        relay.join('left', reply.end);
        return { end: { ...reply.end, ...relay.forRight } };
      };
    },
  });
}
