import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MediaRole, SignalingRole } from '../cluster-processes/harness/cluster.ts';
import { eventually } from '../harness/condition.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { succeeded } from '../harness/viewing.ts';
import { drawnCounters, publishCounter } from '../recording/harness/counter-publisher.ts';
import { leftovers } from '../recording/harness/finished-file.ts';
import { playable } from '../recording/harness/playable.ts';
import { type RecorderPart, recorderPids } from '../recording/harness/recorder-processes.ts';
import { type ListedRecording, listedRecording, recorded } from '../recording/harness/recording-server.ts';
import { ended, FPS, recordCounter, startRecordingCluster } from './harness/recording-cluster.ts';

/** A recording outlives whatever runs it; what is lost is measured from the file, whose picture counts frames. */
const { cluster, folder, addMedia, fileOf } = await startRecordingCluster({ signaling: 2, media: 2 });
const [one, two] = [cluster.front(0), cluster.front(1)];

const PARTS: readonly RecorderPart[] = ['muxer', 'receiver', 'supervisor'];
/** For a host to be noticed as dead, its recording to be taken over and received again. */
const GAP_MS = 8000;

async function listed(name: string, { httpUrl }: SignalingRole = two): Promise<ListedRecording> {
  const recording = await listedRecording(httpUrl, `${name}.webm`);
  assert.ok(recording, `no recording ${name}`);
  return recording;
}

async function holderOf(stream: string): Promise<MediaRole> {
  const holder = await cluster.holderOf(stream);
  assert.ok(holder, `nobody has ${stream}`);
  return holder;
}

/** As its machine does when its power goes: nothing of it says a word any more. */
function killAll(media: MediaRole): Promise<void> {
  const pid = media.process.pid ?? 0;
  const recorders = PARTS.flatMap((part) => recorderPids(pid, part));
  for (const recorder of recorders) process.kill(recorder, 'SIGKILL');
  return media.kill();
}

/** Goes on with its session at another signaling process. */
async function resume(page: DocumentClientPage, { wsUrl }: SignalingRole): Promise<void> {
  const session = await page.run<string>('session.id');
  await page.connect(`${wsUrl}/?events=1`);
  await page.run(`session.id = '${session}'`);
  succeeded(await page.request('stream.heartbeat', '', {}));
}

async function publishAgain(publisher: DocumentClientPage, name: string): Promise<void> {
  await eventually('to publish again', async () => {
    const reply = await publishCounter(publisher, name, { fps: FPS });
    return reply?.err === 0;
  });
}

/** Stops the recording by `stopper`, and judges the file. */
async function judged(t: TestContext, name: string, publisher: DocumentClientPage, stopper: SignalingRole) {
  const other = await cluster.open(stopper);
  succeeded(await other.request('record.stop', name, { fileName: name }));
  await other.close();
  const { measurement } = await playable(fileOf(name), { drawn: await drawnCounters(publisher), fps: FPS });
  const times = measurement.pictures.map(({ ptsMs }) => ptsMs);
  const stillMs = Math.max(...times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0)));
  const lostMs = (measurement.framesLost * 1000) / FPS;
  t.diagnostic(
    `still for ${Math.round(stillMs)} ms, ${lostMs} ms of pictures missing, sound ${Math.round(measurement.medianOffsetMs)} ms behind`,
  );
  assert.ok(stillMs <= GAP_MS, `the picture stood still for ${stillMs} ms`);
  assert.ok(Math.abs(measurement.medianOffsetMs) <= 40, `${measurement.medianOffsetMs} ms apart`);
  assert.deepEqual(leftovers(folder), []);
}

const DEATHS: readonly {
  readonly what: string;
  readonly kill: (media: MediaRole) => Promise<void>;
}[] = [
  { what: 'media server is killed', kill: (media) => media.kill() },
  { what: 'media server and recorder are killed at once', kill: killAll },
];

for (const [index, { what, kill }] of DEATHS.entries()) {
  test(`a recording whose ${what} goes on in the same file, as its publisher comes back elsewhere`, async (t) => {
    await addMedia();
    const name = `media-${index}`;
    const publisher = await recordCounter(t, cluster, one, name);
    const holder = await holderOf(name);
    await sleep(Math.random() * 1000);
    const before = await listed(name);
    await kill(holder);
    await publishAgain(publisher, name);
    const after = await recorded(two.httpUrl, `${name}.webm`, before.duration_ms + 4000);
    assert.equal(after.id, before.id);
    await judged(t, name, publisher, two);
    assert.equal((await ended(publisher, name)).data.outcome, 'completed');
  });
}

test('a recording whose media server is killed while its publisher has gone is completed by another one', async (t) => {
  await addMedia();
  const publisher = await recordCounter(t, cluster, one, 'left');
  const holder = await holderOf('left');
  const before = await listed('left');
  await killAll(holder);
  await publisher.run('publication.pc.close()');
  const { data } = await ended(publisher, 'left');
  assert.equal(data.outcome, 'completed');
  const drawn = await drawnCounters(publisher);
  const { measurement } = await playable(fileOf('left'), { drawn, fps: FPS });
  const [first = 0] = measurement.pictures.map(({ counter }) => counter);
  const kept = (measurement.pictures.at(-1)?.counter ?? 0) - first;
  assert.ok((kept * 1000) / FPS >= before.durable_ms - 500, `${kept} pictures of ${before.durable_ms} ms`);
  assert.deepEqual(leftovers(folder), []);
});

test('a recording whose signaling process is killed goes on, is stopped by another, and its publisher is told there', async (t) => {
  const doomed = await cluster.addSignaling();
  const publisher = await recordCounter(t, cluster, doomed, 'orphaned');
  await doomed.kill();
  await resume(publisher, two);
  const { duration_ms } = await listed('orphaned');
  await recorded(two.httpUrl, 'orphaned.webm', duration_ms + 2000);
  succeeded(await publisher.request('record.stop', 'orphaned', {}));
  assert.equal((await ended(publisher, 'orphaned')).data.outcome, 'completed');
  const { measurement } = await playable(fileOf('orphaned'), {
    drawn: await drawnCounters(publisher),
    fps: FPS,
  });
  assert.ok(measurement.longestHoleMs < 1000, `the picture stood still for ${measurement.longestHoleMs} ms`);
  assert.deepEqual(leftovers(folder), []);
});

test('a recording outlives its media server and its signaling process, killed at once', async (t) => {
  await addMedia();
  const doomed = await cluster.addSignaling();
  const publisher = await recordCounter(t, cluster, doomed, 'both');
  const before = await listed('both');
  const holder = await holderOf('both');
  await Promise.all([killAll(holder), doomed.kill()]);
  await resume(publisher, two);
  await publishAgain(publisher, 'both');
  await recorded(two.httpUrl, 'both.webm', before.duration_ms + 4000);
  await judged(t, 'both', publisher, one);
  assert.equal((await ended(publisher, 'both')).data.outcome, 'completed');
});
