import assert from 'node:assert/strict';
import type { Browser } from 'puppeteer-core';
import { COUNTER_MODULUS } from './counter-code.ts';
import { type Measurement, type MeasureOptions, measure } from './measure.ts';
import { type Played, playInBrowser } from './player.ts';
import { outlineWebm, type WebmOutline } from './webm-outline.ts';

export interface PlayableOptions extends MeasureOptions {
  /** Chromium and Firefox; none = only what ffmpeg and the file itself say. */
  readonly browsers?: readonly Browser[];
  /** Length that the file must have. */
  readonly durationMs?: number;
  readonly durationToleranceMs?: number;
}

export interface Playable {
  readonly outline: WebmOutline;
  readonly measurement: Measurement;
  readonly played: readonly Played[];
}

/** From the last block to the file's end: the length of a frame, of one of little rate too. */
const LAST_FRAME_MS = 250;
/** Between what a seek shows and what stands at that time in the file. */
const SEEK_FRAMES = 2;

/**
 * Asserts that a file of counter-source.js is whole: its parts are where its head and cues say, ffmpeg decodes it without
 * a warning, browsers play it to its end, and where they seek to they show what stands there.
 */
export async function playable(file: string, options: PlayableOptions = {}): Promise<Playable> {
  const outline = outlineWebm(file);
  assertWhole(outline);
  const measurement = await measure(file, options);
  assert.deepEqual(measurement.warnings, [], 'warnings of ffmpeg');
  const durationMs = outline.durationMs ?? 0;
  if (options.durationMs !== undefined) {
    const off = Math.abs(durationMs - options.durationMs);
    const tolerance = options.durationToleranceMs ?? 100;
    assert.ok(off <= tolerance, `it lasts ${durationMs} ms, not ${options.durationMs}`);
  }
  const played: Played[] = [];
  for (const browser of options.browsers ?? []) {
    const one = await playInBrowser(browser, file);
    assertPlayed(one, durationMs, measurement, options.fps ?? 25);
    played.push(one);
  }
  return { outline, measurement, played };
}

function assertWhole({ bytes, segmentEnd, durationMs, tracks, seeks, clusters, cues }: WebmOutline): void {
  assert.equal(segmentEnd, bytes, 'the segment ends where the file ends');
  assert.ok(seeks.length > 0, 'there is a seek head');
  for (const { id, found } of seeks) assert.equal(found, id, 'the seek head is right');
  const blocks = clusters.flatMap((cluster) => cluster.blocks);
  const lastMs = Math.max(...blocks.map(({ timeMs }) => timeMs));
  assert.ok(durationMs !== undefined, 'there is a duration');
  const restMs = durationMs - lastMs;
  assert.ok(restMs >= 0 && restMs <= LAST_FRAME_MS, `the last block is ${restMs} ms before the end`);
  for (const { number, kind } of tracks) {
    const own = blocks.filter(({ track }) => track === number);
    assert.ok(own.length > 0, `track ${number} is empty`);
    for (const [index, { timeMs }] of own.entries()) {
      assert.ok(
        index === 0 || timeMs >= (own[index - 1]?.timeMs ?? 0),
        `track ${number} goes back at ${timeMs} ms`,
      );
    }
    if (kind === 'video') assert.equal(own[0]?.keyFrame, true, 'the picture begins with a key frame');
  }
  assertCues(cues, clusters, tracks);
}

function assertCues(
  cues: WebmOutline['cues'],
  clusters: WebmOutline['clusters'],
  tracks: WebmOutline['tracks'],
): void {
  assert.ok(cues.length > 0, 'there are cues');
  for (const { timeMs, track, offset } of cues) {
    const cluster = clusters.find((candidate) => candidate.offset === offset);
    assert.ok(cluster, `the cue at ${timeMs} ms names a cluster`);
    const block = cluster.blocks.find(
      (candidate) => candidate.track === track && candidate.timeMs === timeMs,
    );
    assert.equal(block?.keyFrame, true, `the cue at ${timeMs} ms leads to a key frame`);
  }
  const video = tracks.find(({ kind }) => kind === 'video')?.number;
  for (const { offset, blocks } of clusters) {
    const [first] = blocks.filter(({ track }) => track === video);
    if (first?.keyFrame) {
      assert.ok(
        cues.some((cue) => cue.offset === offset),
        `the key frame at ${first.timeMs} ms has a cue`,
      );
    }
  }
}

function assertPlayed(played: Played, durationMs: number, { pictures }: Measurement, fps: number): void {
  assert.ok(Math.abs(played.durationMs - durationMs) < 50, `the player says ${played.durationMs} ms`);
  assert.ok(Math.abs(played.endedAtMs - durationMs) < LAST_FRAME_MS, `it ended at ${played.endedAtMs} ms`);
  assert.ok(played.width > 0 && played.height > 0);
  for (const { wantedMs, reachedMs, counter } of played.seeks) {
    assert.ok(Math.abs(reachedMs - wantedMs) < 50, `sought ${wantedMs} ms, reached ${reachedMs} ms`);
    const near = pictures.findLastIndex(({ ptsMs }) => ptsMs <= wantedMs);
    const around = pictures.slice(Math.max(0, near - SEEK_FRAMES), near + 1 + SEEK_FRAMES);
    assert.ok(
      around.some((picture) => picture.counter % COUNTER_MODULUS === counter),
      `at ${wantedMs} ms the player shows ${counter}; there stand ${around.map((picture) => picture.counter)} (${fps} a second)`,
    );
  }
}
