import assert from 'node:assert/strict';
import { afterEach, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR_CODES } from '../../core/protocol/index.ts';
import { eventually } from '../harness/condition.ts';
import type { Fault } from '../harness/fault-proxy.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { succeeded } from '../harness/viewing.ts';
import { drawnCounters, publishCounter } from './harness/counter-publisher.ts';
import { playable } from './harness/playable.ts';
import { recorderPids } from './harness/recorder-processes.ts';
import { startS3Recording } from './harness/s3-recording.ts';

const { fixture, proxy, direct, fileOf, leftovers } = await startS3Recording();
const server = fixture.server.process.pid ?? 0;

afterEach(async () => {
  await proxy.accept();
  proxy.heal();
});

interface Listed {
  readonly fileName: string;
  readonly state: string;
  readonly duration_ms: number;
  readonly durable_ms: number;
  readonly spool_bytes: number;
  readonly gaps: { readonly count: number };
  readonly message?: string;
}

async function listed(name: string): Promise<Listed> {
  const list = await (await fetch(`${fixture.server.httpUrl}/api/v1/recordings`)).json();
  const found = (list as { recordings: Listed[] }).recordings.find(({ fileName }) => fileName === name);
  assert.ok(found, `no recording ${name}`);
  return found;
}

function recorded(
  name: string,
  ms: number,
  of: 'durable_ms' | 'duration_ms' = 'durable_ms',
): Promise<Listed> {
  return eventually(
    `${ms} ms of ${name}`,
    async () => {
      const recording = await listed(name);
      if (recording[of] >= ms) return recording;
      throw new Error(JSON.stringify(recording));
    },
    { timeoutMs: 90_000 },
  );
}

async function record(t: TestContext, name: string): Promise<DocumentClientPage> {
  const publisher = await fixture.open('chromium');
  t.after(() => publisher.close());
  succeeded(await publishCounter(publisher, name));
  // On a machine that does much else three processes may take longer to start than a request may.
  await eventually(
    'the start',
    async () => {
      const reply = await publisher.request('record.start', name, { fileName: name });
      if (reply.err !== ERROR_CODES.timed_out) succeeded(reply);
      return reply.err === 0;
    },
    { timeoutMs: 60_000 },
  );
  await recorded(`${name}.webm`, 3000);
  return publisher;
}

/** The file has all that was received, plays, and is all that there is. */
async function stopped(t: TestContext, publisher: DocumentClientPage, name: string) {
  const { gaps } = await listed(`${name}.webm`);
  succeeded(await publisher.request('record.stop', name, { fileName: name }));
  const drawn = await drawnCounters(publisher);
  const { outline, measurement } = await playable(fileOf(`${name}.webm`), { drawn });
  const { pictures, framesLost, longestHoleMs, medianOffsetMs } = measurement;
  t.diagnostic(
    `${outline.durationMs} ms, ${framesLost} of ${pictures.length} pictures missing, longest hole ${Math.round(longestHoleMs)} ms, sound ${Math.round(medianOffsetMs)} ms behind`,
  );
  assert.equal(gaps.count, 0);
  // An encoder leaves pictures out by itself when its machine is busy, one or a few at a time.
  assert.ok(framesLost <= pictures.length / 10, `${framesLost} of ${pictures.length} are missing`);
  assert.ok(longestHoleMs < 1500, `a hole of ${longestHoleMs} ms`);
  assert.ok(Math.abs(medianOffsetMs) <= 40, `the sound is ${medianOffsetMs} ms behind the picture`);
  await eventually('nothing is left', async () => {
    const left = await leftovers();
    if (left.length === 0) return true;
    throw new Error(left.join(', '));
  });
  return outline;
}

/** How storage is away, while a recording goes on. */
const OUTAGES: Readonly<Record<string, Fault | 'refused' | 'slow'>> = {
  'answers 500': { type: 'status', status: 500, code: 'InternalError' },
  'answers 503 SlowDown': { type: 'status', status: 503, code: 'SlowDown' },
  'refuses connections': 'refused',
  'never answers': { type: 'hang' },
  'cuts requests in the middle': { type: 'cut-request' },
  'loses every answer': { type: 'lose-answer' },
  'takes half of what comes': 'slow',
};
const OUTAGE_MS = 6000;

for (const [index, [what, fault]] of Object.entries(OUTAGES).entries()) {
  test(`nothing is missing from a recording while storage ${what}`, async (t) => {
    const name = `outage-${index}`;
    const publisher = await record(t, name);
    const before = await listed(`${name}.webm`);
    if (fault === 'refused') await proxy.refuse();
    // The counter's picture and sound take some 40 kB/s.
    else if (fault === 'slow') proxy.bytesPerSecond = 20_000;
    else proxy.fail(fault);
    const during = await recorded(`${name}.webm`, before.duration_ms + OUTAGE_MS, 'duration_ms');
    await proxy.accept();
    proxy.heal();
    if (fault !== 'slow') {
      assert.ok(during.durable_ms < during.duration_ms - OUTAGE_MS / 2, JSON.stringify(during));
      assert.ok(during.spool_bytes > 0, 'what waits is in the spool');
    }
    await recorded(`${name}.webm`, during.duration_ms + 1000);
    await stopped(t, publisher, name);
  });
}

test('nothing is missing when storage is away for a minute, and the recorder is killed meanwhile', async (t) => {
  const name = 'minute';
  const publisher = await record(t, name);
  await proxy.refuse();
  const before = await recorded(
    `${name}.webm`,
    (await listed(`${name}.webm`)).duration_ms + 10_000,
    'duration_ms',
  );
  // What waits is on this machine's disk, where the next muxer finds it.
  for (const pid of recorderPids(server, 'muxer')) process.kill(pid, 'SIGKILL');
  await sleep(50_000);
  await proxy.accept();
  await recorded(`${name}.webm`, before.duration_ms + 52_000);
  const { durationMs = 0 } = await stopped(t, publisher, name);
  assert.ok(durationMs > before.duration_ms + 50_000, `${durationMs} ms`);
});

test('record.stop while storage is away says so in time, and the file is completed when it is back', async (t) => {
  const name = 'late';
  const publisher = await record(t, name);
  await proxy.refuse();
  const reply = await publisher.request('record.stop', name, { fileName: name });
  assert.ok(
    [ERROR_CODES.timed_out, ERROR_CODES.storage_unavailable].includes(reply.err as never),
    JSON.stringify(reply),
  );
  await proxy.accept();
  await eventually('its end', async () => (await listed(`${name}.webm`)).state === 'completed', {
    timeoutMs: 90_000,
  });
  await stopped(t, publisher, name);
});

test('a lost answer to the completion is asked after, and the file is there once', async (t) => {
  const name = 'answer';
  const publisher = await record(t, name);
  proxy.fail({ type: 'lose-answer' }, { only: ['CompleteMultipartUpload'], times: 1 });
  await stopped(t, publisher, name);
  const names = (await direct.list('answer', { timeoutMs: 10_000 })).map(({ key }) => key);
  assert.deepEqual(names, ['answer.webm']);
});

test('a name that somebody wrote to meanwhile is left alone, and the recording says where it is', async (t) => {
  const name = 'theirs';
  const publisher = await record(t, name);
  const theirs = Buffer.from('somebody else was here');
  await direct.put(`${name}.webm`, theirs, { timeoutMs: 10_000 });
  const reply = await publisher.request('record.stop', name, { fileName: name });
  succeeded(reply);
  const [file] = (reply.data as { recordings: { fileName: string }[] }).recordings;
  assert.match(file?.fileName ?? '', /^theirs\.\d+\.webm$/);
  assert.deepEqual(Buffer.from((await direct.get(`${name}.webm`, { timeoutMs: 10_000 })) ?? []), theirs);
  await playable(fileOf(file?.fileName ?? ''), { drawn: await drawnCounters(publisher) });
  await eventually('nothing is left', async () => (await leftovers()).length === 0);
});

test('a recording is whole on a store that ignores conditions', async (t) => {
  proxy.fail({ type: 'ignore-conditions' });
  const publisher = await record(t, 'unconditional');
  await stopped(t, publisher, 'unconditional');
});

test('record.start says within its time that storage is away, and leaves nothing behind', async (t) => {
  const publisher = await fixture.open('chromium');
  t.after(() => publisher.close());
  succeeded(await publishCounter(publisher, 'refused'));
  await proxy.refuse();
  const startedAtMs = performance.now();
  const reply = await publisher.request('record.start', 'refused', { fileName: 'refused' });
  assert.equal(reply.err, ERROR_CODES.storage_unavailable, JSON.stringify(reply));
  assert.ok(performance.now() - startedAtMs < 10_000);
  await proxy.accept();
  assert.equal(await direct.head('refused.webm', { timeoutMs: 10_000 }), undefined);
  await eventually('nothing is left', async () => (await leftovers()).length === 0);
});
