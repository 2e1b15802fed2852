import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR_CODES } from '../../core/protocol/index.ts';
import type { RecordingGap } from '../../core/recording/recording.ts';
import { eventually } from '../harness/condition.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { succeeded } from '../harness/viewing.ts';
import { type CounterOptions, drawnCounters, publishCounter } from './harness/counter-publisher.ts';
import { listedRecording, recordCounter, recordedOn } from './harness/counter-recording.ts';
import { leftovers } from './harness/finished-file.ts';
import { type Playable, playable } from './harness/playable.ts';
import { startRecordingServer } from './harness/recording-server.ts';

const { fixture, folder, fileOf } = await startRecordingServer({
  MILLRACE_RESUME_TIMEOUT: '30s',
  MILLRACE_RECORDING_SIDECAR: 'on',
});

const AWAY_MS = 4000;
/** Of sound and picture to each other. */
const MAX_OFFSET_MS = 40;
/** An encoder leaves pictures out by itself when its machine is busy. */
const MAX_MISSING = 0.1;

/** Stops the recording, and expects so many files that play everywhere, and nothing else. */
async function stop(publisher: DocumentClientPage, name: string, files = 1): Promise<readonly Playable[]> {
  const reply = await publisher.request('record.stop', name, {});
  succeeded(reply);
  const { recordings } = reply.data as { recordings: { fileName: string }[] };
  const expected = ['', '-2', '-3'].slice(0, files).map((suffix) => `${name}${suffix}.webm`);
  assert.deepEqual(
    recordings.map(({ fileName }) => fileName),
    expected,
  );
  const browsers = [await fixture.browser('chromium'), await fixture.browser('firefox')];
  const played: Playable[] = [];
  for (const file of expected) played.push(await playable(fileOf(file), { browsers }));
  assert.deepEqual(leftovers(folder), []);
  return played;
}

interface Told {
  readonly gaps: { readonly count: number; readonly first: readonly GapEntry[] };
}
type GapEntry = { readonly kind: RecordingGap['kind']; readonly reason: string } & Readonly<
  Record<string, unknown>
>;

/** What the file beside a finished one says is missing. */
function gapsOf(file: string): readonly GapEntry[] {
  return (JSON.parse(readFileSync(fileOf(`${file}.json`), 'utf8')) as Told).gaps.first;
}

interface Hole {
  readonly fromMs: number;
  readonly toMs: number;
}

function longestHole({ measurement: { pictures } }: Playable): Hole {
  let longest: Hole = { fromMs: 0, toMs: 0 };
  for (const [index, { ptsMs: toMs }] of pictures.entries()) {
    const fromMs = pictures[index - 1]?.ptsMs ?? toMs;
    if (toMs - fromMs > longest.toMs - longest.fromMs) longest = { fromMs, toMs };
  }
  return longest;
}

/** @returns how far the sound is behind the picture, in the middle of all beeps of a span */
function offsetWithin({ measurement: { offsets } }: Playable, fromMs: number, toMs: number): number {
  const within = offsets
    .filter(({ ptsMs }) => ptsMs >= fromMs && ptsMs <= toMs)
    .map(({ offsetMs }) => offsetMs)
    .sort((one, other) => one - other);
  assert.ok(within.length >= 2, `${within.length} beeps from ${fromMs} to ${toMs} ms`);
  return within[Math.floor(within.length / 2)] ?? Number.NaN;
}

/** Sound and picture are together on both sides of a hole. */
function assertTogether(t: TestContext, file: Playable, { fromMs, toMs }: Hole): void {
  const [before, after] = [offsetWithin(file, 0, fromMs), offsetWithin(file, toMs, Number.POSITIVE_INFINITY)];
  t.diagnostic(`sound ${before.toFixed(1)} ms behind before, ${after.toFixed(1)} ms after`);
  for (const offset of [before, after])
    assert.ok(Math.abs(offset) <= MAX_OFFSET_MS, `${before}, ${after} ms`);
}

/** Counters that are missing, but for those in the longest hole. */
function missingBeside(
  { measurement: { pictures } }: Playable,
  drawn: readonly number[],
  hole: Hole,
): number {
  const seen = new Set(pictures.map(({ counter }) => counter));
  const last = pictures.findLast(({ ptsMs }) => ptsMs <= hole.fromMs)?.counter ?? 0;
  const next = pictures.find(({ ptsMs }) => ptsMs >= hole.toMs)?.counter ?? 0;
  const [from, to] = [pictures.at(0)?.counter ?? 0, pictures.at(-1)?.counter ?? 0];
  return drawn.filter(
    (counter) =>
      counter >= from && counter <= to && !(counter > last && counter < next) && !seen.has(counter),
  ).length;
}

for (const muted of [['audio'], ['video'], ['audio', 'video']] as const) {
  test(`a publisher who mutes ${muted.join(' and ')} for some seconds leaves silence and a still picture, and no gap`, async (t) => {
    const name = `muted-${muted.join('-')}`;
    const publisher = await recordCounter(t, fixture, name);
    const to = (state: boolean) => Object.fromEntries(muted.map((kind) => [kind, state]));
    succeeded(await publisher.request('stream.mute', name, to(true)));
    await recordedOn(fixture, name, AWAY_MS);
    const durableMs = (await listedRecording(fixture, name)).duration_ms;
    succeeded(await publisher.request('stream.mute', name, to(false)));
    await recordedOn(fixture, name, AWAY_MS);
    const { gaps } = await listedRecording(fixture, name);
    const [file] = await stop(publisher, name);
    assert.ok(file);
    const { pictures, silences, worstClockErrorMs } = file.measurement;
    const still = longestHole(file);
    const silentMs = Math.max(0, ...silences.map((silence) => silence.toMs - silence.fromMs));
    const stillMs = still.toMs - still.fromMs;
    const missing = missingBeside(file, await drawnCounters(publisher), still);
    t.diagnostic(
      `still ${Math.round(stillMs)} ms, silent ${Math.round(silentMs)} ms, ${missing} of ${pictures.length} missing beside it, clock off by ${Math.round(worstClockErrorMs)} ms`,
    );
    assert.deepEqual(gaps, { count: 0, total_ms: 0 });
    const kinds: readonly string[] = muted;
    const spans = { video: stillMs, audio: silentMs };
    for (const kind of ['audio', 'video'] as const) {
      if (kinds.includes(kind)) assert.ok(spans[kind] >= AWAY_MS && spans[kind] < AWAY_MS + 3000, kind);
      else assert.ok(spans[kind] < 1000, `${kind} stood still for ${spans[kind]} ms`);
    }
    assert.ok(missing <= pictures.length * MAX_MISSING, `${missing} are missing`);
    const [fromMs, toMs] = kinds.includes('video')
      ? [still.fromMs, still.toMs]
      : [durableMs - AWAY_MS - 1000, durableMs + 500];
    assertTogether(t, file, { fromMs, toMs });
  });
}

test('a picture that changes its size and is turned plays across the changes, and nothing is missing', async (t) => {
  const publisher = await recordCounter(t, fixture, 'turned', { width: 320, height: 180 });
  const sizes = [
    { width: 180, height: 320 },
    { width: 640, height: 360 },
    { width: 320, height: 180 },
  ];
  for (const size of sizes) {
    await publisher.run(`source.resize(${JSON.stringify(size)})`);
    await recordedOn(fixture, 'turned', 3000);
  }
  const { gaps } = await listedRecording(fixture, 'turned');
  const [file] = await stop(publisher, 'turned');
  assert.ok(file);
  const { pictures, medianOffsetMs, longestHoleMs, unreadable } = file.measurement;
  const missing = missingBeside(file, await drawnCounters(publisher), { fromMs: 0, toMs: 0 });
  t.diagnostic(
    `${missing} of ${pictures.length} missing, ${unreadable} unreadable, longest hole ${Math.round(longestHoleMs)} ms, sound ${medianOffsetMs.toFixed(1)} ms behind`,
  );
  assert.equal(gaps.count, 0);
  assert.ok(missing <= pictures.length * MAX_MISSING, `${missing} are missing`);
  assert.ok(longestHoleMs < 1000, `a hole of ${longestHoleMs} ms`);
  assert.ok(Math.abs(medianOffsetMs) <= MAX_OFFSET_MS, `${medianOffsetMs} ms`);
});

/** Publishes as soon as the name is free for it. */
async function publishAgain(publisher: DocumentClientPage, name: string, options?: CounterOptions) {
  await eventually('to publish again', async () => {
    const reply = await publishCounter(publisher, name, options);
    if (reply?.err !== ERROR_CODES.stream_already_published) succeeded(reply);
    return reply?.err === 0;
  });
}

for (const gone of ['connection', 'page'] as const) {
  test(`one file goes on when the publisher's ${gone} goes, and another comes within the resume time`, async (t) => {
    const name = `gone-${gone}`;
    let publisher = await recordCounter(t, fixture, name);
    if (gone === 'connection') {
      await publisher.run('publication.pc.close()');
      await sleep(AWAY_MS);
    } else {
      await publisher.close();
      await sleep(AWAY_MS);
      publisher = await fixture.open('chromium');
      t.after(() => publisher.close());
    }
    await publishAgain(publisher, name);
    // It is longer by the time away as soon as there is media again.
    await recordedOn(fixture, name, 2 * AWAY_MS + 1000);
    const { gaps } = await listedRecording(fixture, name);
    const [file] = await stop(publisher, name);
    assert.ok(file);
    const still = longestHole(file);
    const stillMs = still.toMs - still.fromMs;
    const { pictures, worstClockErrorMs, longestHoleMs } = file.measurement;
    const told = gapsOf(`${name}.webm`);
    t.diagnostic(
      `still ${Math.round(stillMs)} ms, told ${JSON.stringify(gaps)} ${JSON.stringify(told)}, ${pictures.length} pictures, clock off by ${Math.round(worstClockErrorMs)} ms`,
    );
    assert.equal(stillMs, longestHoleMs);
    assert.ok(stillMs >= AWAY_MS && stillMs < AWAY_MS + 5000, `the picture stood still for ${stillMs} ms`);
    for (const kind of ['audio', 'video']) {
      const own = told.filter((gap) => gap.kind === kind);
      assert.deepEqual(
        own.map(({ reason }) => reason),
        ['publisher_away'],
        `${kind}: ${JSON.stringify(own)}`,
      );
    }
    if (gone === 'connection') {
      const missing = missingBeside(file, await drawnCounters(publisher), still);
      assert.ok(missing <= pictures.length * MAX_MISSING, `${missing} are missing`);
      // The same source showed the time all along: the file's is as long.
      assert.ok(worstClockErrorMs < 300, `the file's clock is off by ${worstClockErrorMs} ms`);
    }
    assertTogether(t, file, still);
  });
}

test('a publisher who comes back with another codec is recorded into the next file, and both play', async (t) => {
  const name = 'codec';
  const publisher = await recordCounter(t, fixture, name, { codec: 'VP8' });
  await recordedOn(fixture, name, 1000);
  await publisher.run('publication.pc.close()');
  await sleep(AWAY_MS);
  await publishAgain(publisher, name, { codec: 'VP9' });
  await recordedOn(fixture, name, 2 * AWAY_MS + 1000);
  const files = await stop(publisher, name, 2);
  assert.deepEqual(
    files.map(({ outline }) => outline.tracks.map(({ codecId }) => codecId).sort()),
    [
      ['A_OPUS', 'V_VP8'],
      ['A_OPUS', 'V_VP9'],
    ],
  );
  const drawn = await drawnCounters(publisher);
  for (const file of files) {
    const { pictures, medianOffsetMs } = file.measurement;
    const missing = missingBeside(file, drawn, { fromMs: 0, toMs: 0 });
    t.diagnostic(
      `${Math.round(file.outline.durationMs ?? 0)} ms, ${missing} of ${pictures.length} missing, sound ${medianOffsetMs.toFixed(1)} ms behind`,
    );
    assert.ok(missing <= pictures.length * MAX_MISSING, `${missing} are missing`);
    assert.ok(Math.abs(medianOffsetMs) <= MAX_OFFSET_MS, `${medianOffsetMs} ms`);
  }
});
