import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { RecordingGap } from '../../core/recording/recording.ts';
import { GapLog } from './gap-log.ts';
import {
  inOrder,
  losing,
  muting,
  type PublisherOptions,
  publisher,
  type Step,
  ticks,
} from './harness/publisher.ts';
import { MAX_AWAY_MS, Recorded, randomOf, UNIX_MS } from './harness/recorded.ts';
import { parseTimelineState } from './state.ts';

describe('A timeline that goes on with a file', () => {
  test('makes the same blocks from any cut on, as far as it is told again what came before', () => {
    fc.assert(
      fc.property(fc.record(SCENARIO), fc.double({ min: 0.02, max: 0.98, noNaN: true }), (scenario, part) => {
        const steps = stepsOf(scenario);
        const whole = new Recorded().hello().play(steps);
        const cut = Math.floor(steps.length * part);
        const halves = new Recorded().hello().play(steps.slice(0, cut));
        if (halves.timeline.startedAtMs === undefined) return;
        halves.resume().hello().play(replayed(steps, cut), steps.slice(cut));
        assert.deepEqual(halves.placed, whole.placed);
        assert.deepEqual(joined(halves.end()), joined(whole.end()));
      }),
      { numRuns: 100 },
    );
  });

  test('goes on exactly where another receiver has the same producers, whatever its clocks say', () => {
    const options = { toMs: 20_000, keyFrameIntervalMs: 2000, pictureDelayMs: 20 };
    const recorded = new Recorded()
      .hello()
      .play(before(publisher(options), 8000))
      .resume();
    const other = publisher(options).filter(({ type, atMs }) => type === 'begin' || atMs >= 6000);
    recorded.hello('other', UNIX_MS - 3_600_000, 1e6).play(later(other, 1e6));
    const whole = new Recorded().hello().play(publisher(options));
    assert.deepEqual(recorded.placed, whole.placed);
    assert.deepEqual(recorded.end(), []);
  });

  test('leaves exactly the hole that there was where another receiver came too late', () => {
    const options = { toMs: 20_000, keyFrameIntervalMs: 2000, pictureDelayMs: 20 };
    const recorded = new Recorded()
      .hello()
      .play(before(publisher(options), 8000))
      .resume();
    const other = publisher(options).filter(({ type, atMs }) => type === 'begin' || atMs >= 11_000);
    const steps = later(
      losing(other, ({ kind, atMs }) => kind === 'video' && atMs < 12_000),
      1e6,
    );
    recorded.hello('other', UNIX_MS, 1e6).play(steps);
    recorded.assertSound();
    assert.ok(recorded.worstSkewMs() <= 40);
    assert.ok(Math.abs(recorded.timeline.endMs - 20_000) <= 2, `${recorded.timeline.endMs} ms`);
    assert.deepEqual(gapsOf(recorded), ['audio recorder_lost 7980-10980', 'video recorder_lost 7967-12000']);
  });

  const absences: readonly (readonly [string, number, number])[] = [
    ['for as long as the time of day says', 9000, 9000],
    ['not backwards when the time of day went back', -3_600_000, 0],
    ['not further than a publisher may be away when the time of day was set forward', 3_600_000, MAX_AWAY_MS],
  ];
  for (const [name, elapsedMs, silentMs] of absences) {
    test(`places another producer of another receiver ${name}`, () => {
      const recorded = new Recorded()
        .hello()
        .play(before(publisher({ toMs: 20_000 }), 8000))
        .resume();
      const steps = publisher({ name: 'again', firstTrack: 3, toMs: 5000, soundRtp: 99, pictureRtp: 4e9 });
      recorded.hello('other', UNIX_MS + 8000 + elapsedMs, 0).play(steps);
      recorded.assertSound();
      assert.ok(Math.abs(recorded.silentMs - silentMs) <= 60, `${recorded.silentMs} ms`);
      assert.ok(
        Math.abs(recorded.timeline.endMs - (8000 + silentMs + 5000)) <= 80,
        `${recorded.timeline.endMs}`,
      );
      assert.ok(recorded.worstSkewMs() <= 40);
    });
  }

  test('keeps sound whole, times in order, and both together once reports have come, whatever happens', () => {
    fc.assert(
      fc.property(fc.record(SCENARIO), (scenario) => {
        const steps = stepsOf(scenario);
        const recorded = new Recorded().hello().play(steps);
        recorded.end();
        recorded.assertSound();
        const begins = steps.flatMap(({ type, atMs }) => (type === 'begin' ? [atMs] : []));
        const isSettled = (ms: number) => begins.every((atMs) => ms < atMs || ms > atMs + SETTLED_MS);
        assert.ok(recorded.worstSkewMs(isSettled) <= 40, `${recorded.worstSkewMs(isSettled)} ms`);
      }),
      { numRuns: 100 },
    );
  });

  test('is not made of what no timeline left', () => {
    assert.equal(parseTimelineState({ receiver: 'x' }), undefined);
  });
});

/** Until both have a report, which is after a mute at the start. */
const SETTLED_MS = 9000;

/** A publisher, or two, with losses, mutes, jitter and clocks that drift. */
const SCENARIO = {
  seed: fc.integer({ min: 1, max: 1e6 }),
  soundPpm: fc.integer({ min: -100, max: 100 }),
  picturePpm: fc.integer({ min: -100, max: 100 }),
  jitterMs: fc.integer({ min: 0, max: 60 }),
  reportJitterMs: fc.integer({ min: 0, max: 20 }),
  keyFrameIntervalMs: fc.constantFrom(1000, 3000),
  pictureDelayMs: fc.integer({ min: 20, max: 60 }),
  lost: fc.array(
    fc.record({
      kind: fc.constantFrom('audio', 'video'),
      fromMs: fc.integer({ min: 0, max: 19_000 }),
      lengthMs: fc.integer({ min: 20, max: 6000 }),
    }),
    { maxLength: 3 },
  ),
  muted: fc.option(
    fc.record({
      track: fc.constantFrom(1, 2),
      fromMs: fc.integer({ min: 0, max: 19_000 }),
      lengthMs: fc.integer({ min: 20, max: 6000 }),
    }),
  ),
  overlapMs: fc.option(fc.integer({ min: -8000, max: 8000 })),
};

type Scenario = {
  [K in keyof typeof SCENARIO]: (typeof SCENARIO)[K] extends fc.Arbitrary<infer T> ? T : never;
};

function stepsOf({ seed, lost, muted, overlapMs, ...options }: Scenario): Step[] {
  const random = randomOf(seed);
  const first = publisher({ ...options, toMs: 20_000, random });
  const steps = overlapMs === null ? first : inOrder(first, secondOf(options, overlapMs, random));
  const isLost = (frame: { readonly kind: string; readonly atMs: number }) =>
    lost.some(
      ({ kind, fromMs, lengthMs }) =>
        kind === frame.kind && frame.atMs >= fromMs && frame.atMs < fromMs + lengthMs,
    );
  const lossy = losing(steps, isLost);
  const quiet = muted ? muting(lossy, muted.track, muted.fromMs, muted.fromMs + muted.lengthMs) : lossy;
  return inOrder(quiet, ticks(0, (quiet.at(-1)?.atMs ?? 0) + 500));
}

function secondOf(options: Omit<PublisherOptions, 'toMs'>, overlapMs: number, random: () => number): Step[] {
  const fromMs = 20_000 - overlapMs;
  const second = {
    name: 'second',
    firstTrack: 3,
    fromMs,
    toMs: fromMs + 12_000,
    soundRtp: 5,
    pictureRtp: 4e9,
  };
  return inOrder(publisher({ ...options, ...second, random }), [
    { type: 'ended', atMs: 20_100, track: 1 },
    { type: 'ended', atMs: 20_100, track: 2 },
  ]);
}

/** Gaps are taken one by one, or together, by when they are asked for. */
function joined(gaps: readonly RecordingGap[]): readonly RecordingGap[] {
  const log = new GapLog();
  for (const { kind, fromMs, toMs, reason } of gaps) log.add(kind, fromMs, toMs, reason);
  return log
    .take(Number.POSITIVE_INFINITY)
    .toSorted((a, b) => a.fromMs - b.fromMs || (a.kind < b.kind ? -1 : 1));
}

/** What a receiver tells of again: tracks, and everything from a key frame of each picture on. */
function replayed(steps: readonly Step[], cut: number): Step[] {
  const past = steps.slice(0, cut);
  return past.filter((step) => step.type !== 'ended' || step.atMs > 0);
}

function before(steps: readonly Step[], ms: number): Step[] {
  return steps.filter(({ atMs }) => atMs < ms);
}

/** The same by another clock. */
function later(steps: readonly Step[], byMs: number): Step[] {
  return steps.map((step): Step => {
    const atMs = step.atMs + byMs;
    if (step.type === 'frame') return { ...step, atMs, frame: { ...step.frame, atMs } };
    if (step.type === 'report') return { ...step, atMs, report: { ...step.report, atMs } };
    return { ...step, atMs };
  });
}

function gapsOf(recorded: Recorded): readonly string[] {
  const gaps = recorded.end().map(({ kind, reason, fromMs, toMs }) => `${kind} ${reason} ${fromMs}-${toMs}`);
  return gaps.toSorted();
}
