import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { capturedMs, inOrder, losing, muting, publisher, type Step, ticks } from './harness/publisher.ts';
import { Recorded, randomOf } from './harness/recorded.ts';

const SOUND = 1;
const PICTURE = 2;

describe('A timeline', () => {
  test('begins with a key frame of the picture, and with sound at the same time', () => {
    const { sound, picture } = record(publisher({ toMs: 2000, pictureDelayMs: 300 }));
    assert.deepEqual([sound[0]?.timeMs, picture[0]?.timeMs, picture[0]?.keyFrame], [0, 0, true]);
  });

  test('waits 3 s for a key frame, and begins with sound alone then; the picture joins later', () => {
    const steps = losing(publisher({ toMs: 9000, keyFrameIntervalMs: 6000 }), isPictureBefore(6000));
    const recorded = record(steps);
    assert.equal(
      recorded.timeline.startedAtMs,
      record(publisher({ toMs: 100, picture: false })).timeline.startedAtMs,
    );
    assert.equal(recorded.sound[0]?.timeMs, 0);
    within(recorded.picture[0]?.timeMs, 6000, 25);
    assert.deepEqual(recorded.end(), []);
  });

  test('does not wait for a picture that is muted', () => {
    const steps = publisher({ toMs: 9000 }).map((step) =>
      step.type === 'begin' && step.track.kind === 'video'
        ? { ...step, track: { ...step.track, muted: true } }
        : step,
    );
    const recorded = record(steps.filter((step) => !isPicture(step) && step.atMs < 1000));
    within(recorded.timeline.endMs, 980, 30);
  });

  test('has silence from the start where the sound is muted', () => {
    const recorded = record(muting(publisher({ toMs: 5000 }), SOUND, 0, 3000));
    assert.equal(recorded.sound[0]?.timeMs, 0);
    within(recorded.silentMs, 3000, 50);
    recorded.assertSound();
  });

  const holes: readonly (readonly [string, Step[], { silentMs: number; gaps: string[] }])[] = [
    [
      'a mute of the sound',
      muting(publisher({ toMs: 12_000 }), SOUND, 4000, 9000),
      { silentMs: 5000, gaps: [] },
    ],
    [
      'a mute of the picture',
      muting(publisher({ toMs: 12_000, keyFrameIntervalMs: 1000 }), PICTURE, 4000, 9000),
      { silentMs: 0, gaps: [] },
    ],
    [
      'packets that are not sent for want of sound',
      publisher({ toMs: 12_000 }).filter(
        (step) => !isSound(step) || step.atMs < 4000 || step.atMs % 400 < 20,
      ),
      { silentMs: 7600, gaps: [] },
    ],
    [
      'a lost packet of sound',
      losing(
        publisher({ toMs: 12_000 }),
        ({ kind, atMs }) => kind === 'audio' && atMs >= 4000 && atMs < 4020,
      ),
      { silentMs: 20, gaps: [] },
    ],
    [
      'lost sound',
      losing(
        publisher({ toMs: 12_000 }),
        ({ kind, atMs }) => kind === 'audio' && atMs >= 4000 && atMs < 4500,
      ),
      { silentMs: 500, gaps: ['audio loss 3960-4460'] },
    ],
    [
      'a lost picture',
      losing(
        publisher({ toMs: 12_000, keyFrameIntervalMs: 2000, pictureDelayMs: 20 }),
        ({ kind, atMs }) => kind === 'video' && atMs > 5000 && atMs < 5100,
      ),
      { silentMs: 0, gaps: ['video loss 4967-6000'] },
    ],
  ];
  for (const [name, steps, expected] of holes) {
    test(`keeps the sound whole over ${name}`, () => {
      const recorded = record(steps);
      recorded.assertSound();
      within(recorded.silentMs, expected.silentMs, 25);
      assert.deepEqual(gapsOf(recorded), expected.gaps);
      assert.ok(recorded.worstSkewMs() <= 40, `${recorded.worstSkewMs()} ms`);
    });
  }

  test('goes on in the same file when a publisher comes back after 10 s, by the receiver’s clock', () => {
    const recorded = record(
      inOrder(
        publisher({ toMs: 5000 }),
        ended(5200, SOUND, PICTURE),
        publisher({
          name: 'again',
          firstTrack: 3,
          fromMs: 15_000,
          toMs: 20_000,
          soundRtp: 17,
          pictureRtp: 4e9,
        }),
      ),
    );
    recorded.assertSound();
    within(recorded.timeline.endMs, 20_000, 60);
    within(recorded.silentMs, 10_000, 60);
    const [sound = '', picture = ''] = gapsOf(recorded).toSorted();
    assert.match(sound, /^audio publisher_away 49\d\d-1[45]\d\d\d$/);
    assert.match(picture, /^video publisher_away 49\d\d-1[45]\d\d\d$/);
    assert.ok(recorded.worstSkewMs() <= 40, `${recorded.worstSkewMs()} ms`);
  });

  test('changes to a newer generation at its first key frame while the older one goes on', () => {
    const newer = losing(
      publisher({
        name: 'newer',
        firstTrack: 3,
        fromMs: 5000,
        toMs: 15_000,
        keyFrameIntervalMs: 1000,
        pictureRtp: 77,
      }),
      ({ kind, atMs }) => kind === 'video' && atMs < 7000,
    );
    const recorded = record(inOrder(publisher({ toMs: 9000 }), newer, ended(9000, SOUND, PICTURE)));
    recorded.assertSound();
    const { picture } = recorded;
    const stepsMs = picture.slice(1).map(({ timeMs }, i) => timeMs - (picture[i]?.timeMs ?? 0));
    assert.ok(Math.max(...stepsMs) < 70, `${Math.max(...stepsMs)} ms`);
    within(recorded.timeline.endMs, 15_000, 60);
  });

  test('keeps sound and picture within 40 ms for an hour of clocks that drift apart', () => {
    const drift = { soundPpm: 100, picturePpm: -100, jitterMs: 30, reportJitterMs: 20, random: randomOf(1) };
    const recorded = record(publisher({ toMs: 3_600_000, ...drift }));
    assert.ok(recorded.worstSkewMs() <= 40, `${recorded.worstSkewMs()} ms`);
    recorded.assertSound();
  });

  test('brings both together at once after a mute in which their clocks drifted apart', () => {
    const steps = publisher({ toMs: 1_830_000, soundPpm: 100, picturePpm: -100, keyFrameIntervalMs: 1000 });
    for (const track of [SOUND, PICTURE]) {
      const recorded = record(muting(steps, track, 10_000, 1_810_000));
      const skewMs = recorded.worstSkewMs((ms) => ms > 1_813_000);
      assert.ok(skewMs <= 40, `track ${track}: ${skewMs} ms`);
    }
  });

  test('keeps both together where what a hop knows of the sender’s clock wanders, as by jitter', () => {
    const ntpOffsetMs = (atMs: number) => 150 * Math.sin(atMs / 1300);
    // mediasoup sends a report of sound for each five of a picture.
    const seldom = publisher({ toMs: 60_000, ntpOffsetMs, jitterMs: 20, random: randomOf(3) }).filter(
      (step) => step.type !== 'report' || step.report.ssrc !== 1001 || step.atMs % 6250 < 1250,
    );
    const recorded = record(seldom);
    assert.ok(recorded.worstSkewMs() <= 40, `${recorded.worstSkewMs()} ms`);
  });

  test('does not notice that the clock of sender reports is set by an hour', () => {
    const options = { toMs: 30_000, soundPpm: 100, jitterMs: 20 };
    const set = publisher({ ...options, ntpOffsetMs: (atMs) => (atMs < 12_000 ? 0 : -3_600_000) });
    const recorded = record(set);
    assert.ok(recorded.worstSkewMs() <= 40, `${recorded.worstSkewMs()} ms`);
    const unset = record(publisher(options));
    const timesOf = ({ blocks }: Recorded) => blocks.map(({ kind, timeMs }) => `${kind} ${timeMs}`);
    const differing = timesOf(recorded).filter((line, i) => line !== timesOf(unset)[i]);
    // Three reports of each kind are not used, so a median is older by as many, and a time rounded otherwise.
    assert.ok(differing.length < 60, `${differing.length} blocks`);
  });

  test('corrects a difference above 500 ms once three reports say so, and not before', () => {
    const shifted =
      (byMs: number) =>
      (step: Step): Step =>
        step.type === 'report' && step.report.ssrc === 1002 && step.atMs > 10_000
          ? { ...step, report: { ...step.report, rtpTimestamp: step.report.rtpTimestamp + byMs * 90 } }
          : step;
    const steps = publisher({ toMs: 20_000 }).map(shifted(2000));
    const { picture } = record(steps);
    const jump = picture.find(({ timeMs, data }) => Math.abs(timeMs - (capturedMs(data) ?? 0)) > 1000);
    // Reports come every 1250 ms.
    within(jump?.timeMs, 10_000 + 2.5 * 1250, 700);
  });

  test('goes on when an encoder counts from somewhere else all of a sudden', () => {
    for (const byMs of [-3_600_000, -5000, 5000, 40_000_000]) {
      const steps = publisher({ toMs: 30_000 }).map((step): Step => {
        const by = Math.round(byMs * 48);
        if (step.atMs < 10_000) return step;
        if (step.type === 'frame' && step.frame.kind === 'audio')
          return { ...step, frame: { ...step.frame, rtpTimestamp: step.frame.rtpTimestamp + by } };
        if (step.type === 'report' && step.report.ssrc === 1001)
          return {
            ...step,
            report: { ...step.report, rtpTimestamp: (step.report.rtpTimestamp + by + 2 ** 33) % 2 ** 32 },
          };
        return step;
      });
      const recorded = record(steps);
      recorded.assertSound();
      within(recorded.timeline.endMs, 30_000, 100);
      assert.ok(recorded.silentMs < 5000, `${byMs}: ${recorded.silentMs} ms of silence`);
      assert.ok(recorded.worstSkewMs() <= 60, `${byMs}: ${recorded.worstSkewMs()} ms`);
    }
  });

  test('begins a next file at the time that it is told', () => {
    const recorded = new Recorded().hello().play(inOrder(publisher({ toMs: 9999 }), ticks(0, 9999)));
    const startedAtMs = recorded.timeline.startedAtMs ?? 0;
    const { endMs } = recorded.timeline;
    recorded.timeline.rebase(9000);
    within(recorded.timeline.endMs, endMs - 9000, 0);
    assert.equal(recorded.timeline.startedAtMs, startedAtMs + 9000);
    recorded.blocks.length = 0;
    recorded.play(publisher({ toMs: 15_000 }).filter(({ atMs, type }) => type !== 'begin' && atMs >= 10_100));
    within(recorded.picture[0]?.timeMs, 1060, 20);
    assert.ok(recorded.worstSkewMs() <= 40);
  });

  test('goes on behind what was kept, with a key frame and silence, when what came after it was lost', () => {
    const steps = inOrder(
      publisher({ toMs: 20_000, keyFrameIntervalMs: 1000, pictureDelayMs: 20 }),
      ticks(0, 20_000),
    );
    const recorded = new Recorded().hello().play(steps.filter(({ atMs }) => atMs < 5000));
    const kept = recorded.timeline.state;
    const length = recorded.blocks.length;
    recorded.play(steps.filter(({ atMs }) => atMs >= 5000 && atMs < 9000));
    recorded.timeline.lose(kept, 'spool_full');
    recorded.blocks.length = length;
    recorded.play(steps.filter(({ atMs }) => atMs >= 9000));
    recorded.assertSound();
    assert.deepEqual(gapsOf(recorded).toSorted(), [
      'audio spool_full 4980-9020',
      'video spool_full 4967-9000',
    ]);
    assert.equal(recorded.picture.find(({ timeMs }) => timeMs > 4967)?.keyFrame, true);
  });

  for (const picture of [true, false]) {
    const what = picture ? 'sound and picture' : 'sound alone';
    test(`puts hours of silence in piece by piece, and goes on with ${what} at its time`, () => {
      const hoursMs = 5 * 3_600_000;
      const options = { picture, keyFrameIntervalMs: 1000, pictureDelayMs: 20 };
      const recorded = new Recorded()
        .hello()
        .play(inOrder(publisher({ ...options, toMs: 5000 }), ticks(0, 4900)));
      recorded.timeline.lose(recorded.timeline.state, 'spool_full');
      const later = inOrder(
        publisher({ ...options, fromMs: hoursMs, toMs: hoursMs + 30_000 }).filter(
          ({ type }) => type !== 'begin',
        ),
        ticks(hoursMs, hoursMs + 30_000),
      );
      let most = 0;
      for (const step of later) {
        const before = recorded.blocks.length;
        recorded.play([step]);
        most = Math.max(most, recorded.blocks.length - before);
      }
      assert.ok(most <= 30_001, `${most} blocks at once`);
      recorded.assertSound();
      assert.ok(recorded.worstSkewMs() <= 40);
      const [sound, ...others] = gapsOf(recorded).toSorted();
      assert.match(sound ?? '', /^audio spool_full 5000-180\d{5}$/);
      assert.equal(others.length, picture ? 1 : 0);
      assert.match(others[0] ?? 'video spool_full', /^video spool_full/);
    });
  }
});

function record(steps: readonly Step[], toMs = (steps.at(-1)?.atMs ?? 0) + 100): Recorded {
  const recorded = new Recorded().hello().play(inOrder(steps, ticks(0, toMs)));
  return recorded;
}

function ended(atMs: number, ...tracks: readonly number[]): Step[] {
  return tracks.map((track) => ({ type: 'ended', atMs, track }));
}

function gapsOf(recorded: Recorded): readonly string[] {
  return recorded.end().map(({ kind, reason, fromMs, toMs }) => `${kind} ${reason} ${fromMs}-${toMs}`);
}

function isPicture(step: Step): boolean {
  return step.type === 'frame' && step.frame.kind === 'video';
}

function isSound(step: Step): boolean {
  return step.type === 'frame' && step.frame.kind === 'audio';
}

function isPictureBefore(ms: number) {
  return ({ kind, atMs }: { readonly kind: string; readonly atMs: number }) => kind === 'video' && atMs < ms;
}

function within(value: number | undefined, expected: number, tolerance: number): void {
  assert.ok(
    value !== undefined && Math.abs(value - expected) <= tolerance,
    `${value} instead of ${expected}`,
  );
}
