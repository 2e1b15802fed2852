import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { Browser } from 'puppeteer-core';
import { Collector, readBack } from '../../recorder/muxer/harness/collector.ts';
import { hello, isPacketOf, sourceEvents } from '../../recorder/muxer/harness/rtp-source.ts';
import { Muxer } from '../../recorder/muxer/muxer.ts';
import type { SourceEvent } from '../../recorder/source-event.ts';
import { launchBrowser } from '../harness/browser.ts';
import { playable } from './harness/playable.ts';
import { writeSyntheticFile } from './harness/synthetic-source.ts';

const FPS = 25;
const SECONDS = 14;
const KEY_FRAME_MS = 2000;
const ARRIVAL_MS = 1000;

const folder = mkdtempSync(join(tmpdir(), 'millrace-muxed-'));
after(() => rmSync(folder, { recursive: true }));
const events = await publishedEvents();
const browsers: Browser[] = await Promise.all([launchBrowser('chromium'), launchBrowser('firefox')]);
after(() => Promise.all(browsers.map((browser) => browser.close())));

interface Case {
  readonly what: string;
  readonly events: readonly SourceEvent[];
  readonly silentMs?: number;
  readonly framesLost?: number;
}

const CASES: readonly Case[] = [
  { what: 'nothing is missing', events },
  {
    what: 'the sound is muted for 4 s',
    events: muted(events, 'audio', 5000, 9000),
    silentMs: 4000,
  },
  {
    what: 'the picture is muted for 4 s',
    events: muted(events, 'video', 5000, 9000),
    // Until the next key frame.
    framesLost: 5 * FPS,
  },
  {
    what: 'the picture joins 4 s later',
    events: joining(events, 4000),
  },
  {
    what: 'packets of both are lost for half a second',
    events: events.filter((event) => event.type !== 'rtp' || !isWithin(event, 5000, 5500)),
    silentMs: 500,
    framesLost: FPS,
  },
];

describe('The file of a muxer plays from start to end, seeks, and is in step where', () => {
  for (const { what, events: told, silentMs = 0, framesLost = 0 } of CASES) {
    test(what, async (t) => {
      const path = join(folder, `${what}.webm`);
      writeFileSync(path, muxed(told));
      const { measurement, outline } = await playable(path, { browsers, fps: FPS });
      t.diagnostic(
        `worst offset ${measurement.worstOffsetMs} ms, clock ${measurement.worstClockErrorMs} ms, lost ${measurement.framesLost}, ${outline.clusters.length} clusters`,
      );
      assert.ok(Math.abs(measurement.worstOffsetMs) <= 40, `${measurement.worstOffsetMs} ms`);
      const silentForMs = measurement.silences.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
      assert.ok(Math.abs(silentForMs - silentMs) <= 60, `silent for ${silentForMs} ms`);
      assert.ok(Math.abs(measurement.framesLost - framesLost) <= 2, `lost ${measurement.framesLost}`);
    });
  }
});

/** What a receiver tells of a publisher that shows and plays what counter-source.js does. */
async function publishedEvents(): Promise<SourceEvent[]> {
  const path = join(folder, 'published.webm');
  await writeSyntheticFile(path, { seconds: SECONDS, fps: FPS, encoder: 'libvpx', bitrate: '300k' });
  const { audio, video } = await readBack(readFileSync(path));
  const frames = [
    ...audio.map(({ timeMs, data }) => ({ kind: 'audio' as const, timeMs, data })),
    ...video.map(({ timeMs, data }) => ({ kind: 'video' as const, timeMs, data })),
  ].filter(({ timeMs }) => timeMs >= 0);
  assert.equal(video.filter(({ keyFrame }) => keyFrame).length, (SECONDS * 1000) / KEY_FRAME_MS);
  return sourceEvents(
    frames.toSorted((a, b) => a.timeMs - b.timeMs),
    { fromMs: ARRIVAL_MS },
  );
}

function muxed(told: readonly SourceEvent[]): Uint8Array {
  const collector = new Collector();
  const limits = { flushIntervalMs: 1000, maxDurationMs: 3_600_000, resumeMs: 60_000 };
  const muxer = new Muxer({ sink: collector, limits });
  for (const event of [hello('receiver', ARRIVAL_MS), ...told]) muxer.take(event);
  muxer.end();
  return collector.file();
}

function isWithin({ atMs }: SourceEvent, fromMs: number, toMs: number): boolean {
  return atMs >= ARRIVAL_MS + fromMs && atMs < ARRIVAL_MS + toMs;
}

function muted(
  told: readonly SourceEvent[],
  kind: 'audio' | 'video',
  fromMs: number,
  toMs: number,
): SourceEvent[] {
  const track = kind === 'audio' ? 1 : 2;
  const heard = told.filter((event) => !isPacketOf(event, kind) || !isWithin(event, fromMs, toMs));
  const switches: SourceEvent[] = [
    { type: 'muted', track, muted: true, atMs: ARRIVAL_MS + fromMs },
    { type: 'muted', track, muted: false, atMs: ARRIVAL_MS + toMs },
  ];
  return [...heard, ...switches].toSorted((a, b) => a.atMs - b.atMs);
}

/** The picture's track is muted from the start. */
function joining(told: readonly SourceEvent[], afterMs: number): SourceEvent[] {
  return muted(told, 'video', 0, afterMs).flatMap((event): SourceEvent[] => {
    if (event.type === 'muted' && event.muted) return [];
    return [event.type === 'track' && event.kind === 'video' ? { ...event, muted: true } : event];
  });
}
