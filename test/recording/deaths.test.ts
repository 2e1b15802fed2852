import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../harness/condition.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { COLOURS, succeeded } from '../harness/viewing.ts';
import { leftovers, longestStill, readFinished } from './harness/finished-file.ts';
import { isAlive, type RecorderPart, recorderPids } from './harness/recorder-processes.ts';
import {
  type ListedRecording,
  listedRecording,
  recorded,
  startRecording,
  startRecordingServer,
} from './harness/recording-server.ts';

const { fixture, folder, fileOf } = await startRecordingServer();
const server = fixture.server.process.pid ?? 0;

const { httpUrl } = fixture.server;

async function listed(name: string): Promise<ListedRecording> {
  const found = await listedRecording(httpUrl, name);
  assert.ok(found, `no recording ${name}`);
  return found;
}

/** A stream that is recorded into `name`, for at least 3 s already. */
async function record(t: TestContext, name: string): Promise<DocumentClientPage> {
  const publisher = await fixture.open('chromium');
  t.after(() => publisher.close());
  succeeded(await publisher.publish(name, { colour: COLOURS.blue }));
  await startRecording(publisher, name, name);
  await recorded(httpUrl, `${name}.webm`, 3000);
  return publisher;
}

async function stopped(publisher: DocumentClientPage, name: string) {
  const startedAt = performance.now();
  const reply = await publisher.request('record.stop', name, { fileName: name });
  succeeded(reply);
  const took = Math.round(performance.now() - startedAt);
  const file = await readFinished(fileOf(`${name}.webm`));
  assert.equal(file.warnings, '');
  assert.deepEqual(leftovers(folder), []);
  return { file, took };
}

function pidOf(part: RecorderPart): number {
  const [pid, ...others] = recorderPids(server, part);
  assert.ok(pid !== undefined && others.length === 0, `${part}: ${pid}, ${others}`);
  return pid;
}

/** It may have done its work by then, and have ended. */
function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const CASES: readonly {
  readonly what: string;
  readonly parts: readonly RecorderPart[];
  readonly signal: 'SIGKILL' | 'SIGSTOP';
  /** The picture may stand still for that long; the file has all the time that passed. */
  readonly stillMs: number;
}[] = [
  { what: 'the muxer is killed', parts: ['muxer'], signal: 'SIGKILL', stillMs: 1500 },
  { what: 'the receiver is killed', parts: ['receiver'], signal: 'SIGKILL', stillMs: 6000 },
  { what: 'both are killed', parts: ['muxer', 'receiver'], signal: 'SIGKILL', stillMs: 6000 },
  { what: 'the supervisor is killed', parts: ['supervisor'], signal: 'SIGKILL', stillMs: 8000 },
  {
    what: 'all three are killed',
    parts: ['supervisor', 'muxer', 'receiver'],
    signal: 'SIGKILL',
    stillMs: 8000,
  },
  { what: 'the muxer stands still', parts: ['muxer'], signal: 'SIGSTOP', stillMs: 1500 },
  { what: 'the receiver stands still', parts: ['receiver'], signal: 'SIGSTOP', stillMs: 8000 },
  { what: 'the supervisor stands still', parts: ['supervisor'], signal: 'SIGSTOP', stillMs: 8000 },
  {
    what: 'all three stand still',
    parts: ['supervisor', 'muxer', 'receiver'],
    signal: 'SIGSTOP',
    stillMs: 8000,
  },
];

for (const [index, { what, parts, signal, stillMs }] of CASES.entries()) {
  test(`a recording goes on in one file when ${what}`, async (t) => {
    const name = `case-${index}`;
    const publisher = await record(t, name);
    const pids = parts.map(pidOf);
    const before = await listed(`${name}.webm`);
    const killedAt = performance.now();
    for (const pid of pids) process.kill(pid, signal);
    await eventually('their end', () => !pids.some(isAlive), { timeoutMs: 30_000 });
    // Beyond what those can have written that went on until somebody noticed.
    await recorded(httpUrl, `${name}.webm`, before.duration_ms + (signal === 'SIGSTOP' ? 10_000 : 3000));
    const wallMs = before.duration_ms + (performance.now() - killedAt);
    const { file, took } = await stopped(publisher, name);
    t.diagnostic(
      `still ${Math.round(longestStill(file))} ms, ${Math.round(file.durationMs)} of ${Math.round(wallMs)} ms, stop ${took} ms`,
    );
    assert.ok(longestStill(file) < stillMs, `the picture stood still for ${longestStill(file)} ms`);
    assert.ok(Math.abs(file.durationMs - wallMs) < 4000, `${file.durationMs} ms of ${wallMs} ms`);
    await eventually('no recorder', () => recorderPids(server, 'muxer').length === 0);
  });
}

for (const part of ['muxer', 'supervisor'] as const) {
  for (const afterMs of [0, 20, 60]) {
    test(`record.stop answers with a whole file when the ${part} is killed ${afterMs} ms after it was asked`, async (t) => {
      const name = `stop-${part}-${afterMs}`;
      const publisher = await record(t, name);
      const pid = pidOf(part);
      const before = await listed(`${name}.webm`);
      const stopping = publisher.request('record.stop', name, { fileName: name });
      await sleep(afterMs);
      killIfAlive(pid);
      succeeded(await stopping);
      const file = await readFinished(fileOf(`${name}.webm`));
      assert.equal(file.warnings, '');
      assert.ok(file.durationMs >= before.durable_ms, `${file.durationMs} of ${before.durable_ms} ms`);
      const ended = await listed(`${name}.webm`);
      assert.deepEqual([ended.state, ended.started_at], ['completed', before.started_at]);
      assert.deepEqual(leftovers(folder), []);
      await eventually('no recorder', () => recorderPids(server, 'supervisor').length === 0);
    });
  }
}

test('a recorder that is told to go hands over, and the picture does not stand still', async (t) => {
  const publisher = await record(t, 'over');
  process.kill(pidOf('supervisor'), 'SIGTERM');
  const first = await listed('over.webm');
  await eventually('a second attempt', async () => (await listed('over.webm')).attempt === 2);
  await eventually('one recorder', () => recorderPids(server, 'supervisor').length === 1, {
    timeoutMs: 40_000,
  });
  await recorded(httpUrl, 'over.webm', first.duration_ms + 6000);
  const { file } = await stopped(publisher, 'over');
  t.diagnostic(`still ${Math.round(longestStill(file))} ms`);
  assert.ok(longestStill(file) < 500, `the picture stood still for ${longestStill(file)} ms`);
});
