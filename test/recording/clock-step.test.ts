import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../harness/condition.ts';
import { succeeded } from '../harness/viewing.ts';
import { drawnCounters } from './harness/counter-publisher.ts';
import { listedRecording, recordCounter, recordedOn } from './harness/counter-recording.ts';
import { leftovers } from './harness/finished-file.ts';
import { playable } from './harness/playable.ts';
import { type RecorderPart, recorderPids } from './harness/recorder-processes.ts';
import { startRecordingServer } from './harness/recording-server.ts';

const HOUR_MS = 3_600_000;
const FPS = 25;
const scratch = mkdtempSync(join(tmpdir(), 'millrace-time-of-day-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const timeFile = join(scratch, 'offset');
/** The time of day of the server and of all processes below it. */
function setTimeOfDay(offsetMs: number): void {
  writeFileSync(`${timeFile}.new`, String(offsetMs));
  renameSync(`${timeFile}.new`, timeFile);
}
setTimeOfDay(0);

const { fixture, folder, fileOf } = await startRecordingServer({
  NODE_OPTIONS: `--import ${new URL('./harness/time-of-day.js', import.meta.url).href}`,
  TEST_TIME_OF_DAY: timeFile,
});
const server = fixture.server.process.pid ?? 0;
const PARTS: readonly RecorderPart[] = ['supervisor', 'receiver', 'muxer'];

const recorders = () => PARTS.flatMap((part) => recorderPids(server, part));

const STEPS: readonly { readonly what: string; readonly offsetsMs: readonly number[] }[] = [
  { what: 'an hour forwards', offsetsMs: [HOUR_MS] },
  { what: 'an hour back', offsetsMs: [-HOUR_MS] },
  { what: 'an hour forwards, back and back again', offsetsMs: [HOUR_MS, 0, -HOUR_MS] },
];

for (const [index, { what, offsetsMs }] of STEPS.entries()) {
  test(`a recording does not notice that the time of day steps ${what}`, async (t) => {
    const name = `step-${index}`;
    t.after(() => setTimeOfDay(0));
    const publisher = await recordCounter(t, fixture, name);
    const pids = recorders();
    const before = await listedRecording(fixture, name);
    const beforeMs = performance.now();
    let lagMs = 0;
    for (const offsetMs of offsetsMs) {
      setTimeOfDay(offsetMs);
      const until = performance.now() + 4000;
      while (performance.now() < until) {
        const { duration_ms, durable_ms } = await listedRecording(fixture, name);
        lagMs = Math.max(lagMs, duration_ms - durable_ms);
        await sleep(100);
      }
    }
    const now = await listedRecording(fixture, name);
    const goneMs = performance.now() - beforeMs;
    const recordedMs = now.duration_ms - before.duration_ms;
    // Nobody took them for dead, nor for somebody else's.
    assert.deepEqual(recorders(), pids);
    const drawn = await drawnCounters(publisher);
    const askedAtMs = performance.now();
    succeeded(await publisher.request('record.stop', name, {}));
    const stopMs = performance.now() - askedAtMs;
    const { outline, measurement } = await playable(fileOf(`${name}.webm`), { drawn, fps: FPS });
    const { pictures, framesLost, medianOffsetMs, worstOffsetMs, worstClockErrorMs, longestHoleMs } =
      measurement;
    const shownMs = (((pictures.at(-1)?.counter ?? 0) - (pictures[0]?.counter ?? 0)) * 1000) / FPS;
    const lastsMs = (pictures.at(-1)?.ptsMs ?? 0) - (pictures[0]?.ptsMs ?? 0);
    t.diagnostic(
      `${Math.round(lastsMs)} ms of ${Math.round(shownMs)} ms shown (${outline.durationMs} ms), clock off by ${Math.round(worstClockErrorMs)} ms at worst; recorded ${recordedMs} ms in ${Math.round(goneMs)} ms; lag ${lagMs} ms; stop ${Math.round(stopMs)} ms; sound ${medianOffsetMs.toFixed(1)} ms behind, at worst ${worstOffsetMs.toFixed(1)}; ${framesLost} of ${pictures.length} missing; longest hole ${Math.round(longestHoleMs)} ms`,
    );
    assert.ok(Math.abs(lastsMs - shownMs) <= 100, `${lastsMs} ms in the file, ${shownMs} ms were shown`);
    assert.ok(Math.abs(medianOffsetMs) <= 40, `${medianOffsetMs} ms apart`);
    // The list is as old as the recorder's last word, which comes each second.
    assert.ok(Math.abs(recordedMs - goneMs) <= 2500, `recorded ${recordedMs} ms in ${goneMs} ms`);
    assert.ok(lagMs <= 3000, `${lagMs} ms were not durable`);
    assert.ok(stopMs <= 5000, `record.stop took ${stopMs} ms`);
    assert.ok(framesLost <= pictures.length / 10, `${framesLost} are missing`);
    assert.equal(now.gaps.count, 0);
    assert.deepEqual(leftovers(folder), []);
    await eventually('no recorder', () => recorderPids(server, 'supervisor').length === 0);
    await publisher.close();
  });
}

test('a recorder that takes over from a killed one goes on where it stood, whatever the time of day is by then', async (t) => {
  const name = 'over';
  t.after(() => setTimeOfDay(0));
  const publisher = await recordCounter(t, fixture, name);
  for (const offsetMs of [HOUR_MS, -HOUR_MS]) {
    setTimeOfDay(offsetMs);
    await sleep(200);
    for (const part of PARTS) for (const pid of recorderPids(server, part)) process.kill(pid, 'SIGKILL');
    await recordedOn(fixture, name, 4000);
    const started = fixture.server.log.findLast(({ msg }) => msg === 'receiver started');
    const aheadMs = new Date(String(started?.time)).getTime() - Date.now();
    assert.ok(Math.abs(aheadMs - offsetMs) < HOUR_MS / 4, `recorders' time of day is ${aheadMs} ms ahead`);
  }
  succeeded(await publisher.request('record.stop', name, {}));
  const { measurement } = await playable(fileOf(`${name}.webm`), {
    drawn: await drawnCounters(publisher),
    fps: FPS,
  });
  const { pictures, medianOffsetMs, longestHoleMs } = measurement;
  const shownMs = (((pictures.at(-1)?.counter ?? 0) - (pictures[0]?.counter ?? 0)) * 1000) / FPS;
  const lastsMs = (pictures.at(-1)?.ptsMs ?? 0) - (pictures[0]?.ptsMs ?? 0);
  t.diagnostic(
    `${Math.round(lastsMs)} ms of ${Math.round(shownMs)} ms shown, longest hole ${Math.round(longestHoleMs)} ms, sound ${medianOffsetMs.toFixed(1)} ms behind`,
  );
  assert.ok(Math.abs(lastsMs - shownMs) <= 2000, `${lastsMs} ms in the file, ${shownMs} ms were shown`);
  assert.ok(Math.abs(medianOffsetMs) <= 40, `${medianOffsetMs} ms apart`);
  assert.deepEqual(leftovers(folder), []);
});
