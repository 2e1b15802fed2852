import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Track } from '../../../core/channel/media.ts';
import { MillraceError } from '../../../core/protocol/error.ts';
import { NO_PROGRESS } from '../../../core/recording/progress.ts';
import type { RecordingKey, RecordingRecord } from '../../../core/recording/recording.ts';
import { AUDIO, name, named, recording } from '../../../core/registry/conformance-trial.ts';
import { specOf } from './entry.ts';
import { openHome, publish, until } from './harness/home.ts';

const H264: Track = { kind: 'video', codec: 'H264', encodings: 1 };

// Most of their time they wait for processes.
describe('Recorders as child processes:', { concurrency: 6 }, () => {
  test('A recording that is asked for has media when it is answered, and its file when it is stopped', async (t) => {
    const { registry, launcher, start, ended, told } = await openHome(t);
    await publish(registry);
    const { id, ...record } = await start();
    assert.equal(record.progress.state, 'recording');
    assert.equal(record.progress.startedAtMs, 1_700_000_000_000);
    assert.deepEqual([record.attempt, record.key, record.subject], [1, 'a.webm', 'ann']);
    const [stopped] = await launcher.stop([id], { timeoutMs: 10_000 });
    assert.equal(stopped?.progress.state, 'completed');
    assert.equal(stopped?.progress.files[0]?.key, 'a.webm');
    assert.deepEqual(ended, [stopped]);
    await until(() => told().length === 2);
    assert.deepEqual(told(), ['1 record', '1 completed']);
    assert.equal((await registry.findRecording(id))?.progress.state, 'completed');
    assert.deepEqual(await launcher.stop([id], { timeoutMs: 100 }), [await launcher.find(id)]);
  });

  test('The same asked for again is the same recording, at once or later', async (t) => {
    const { registry, start, told } = await openHome(t);
    await publish(registry);
    const both = await Promise.all([start(), start()]);
    const third = await start();
    assert.deepEqual(new Set([...both, third].map(({ id }) => id)).size, 1);
    assert.deepEqual(told(), ['1 record']);
  });

  test('A name that another recording has is refused, another name of the same stream is not', async (t) => {
    const { registry, start } = await openHome(t);
    await publish(registry);
    await publish(registry, 'other').catch(() => {});
    const { id } = await start();
    await assert.rejects(start({ subject: 'bob' }), named('name_taken'));
    assert.notEqual((await start({ key: 'b.webm' as RecordingKey })).id, id);
  });

  test('What storage refuses is told, and leaves nothing behind', async (t) => {
    const { registry, storage, start, told } = await openHome(t);
    await publish(registry);
    storage.refuses = new MillraceError('storage_unavailable', 'away');
    await assert.rejects(start(), named('storage_unavailable'));
    assert.deepEqual(await registry.recordings({ limit: 10 }), []);
    storage.refuses = undefined;
    storage.reserved.set('a.webm' as RecordingKey, recording('other').id);
    await assert.rejects(start(), named('name_taken'));
    assert.deepEqual(told(), []);
  });

  test('Only so many recordings run at once', async (t) => {
    const { registry, launcher, start } = await openHome(t, { maxRecordings: 1 });
    await publish(registry);
    const { id } = await start();
    const other = { key: 'b.webm' as RecordingKey };
    await assert.rejects(start(other), named('too_many'));
    assert.equal((await start()).id, id);
    await launcher.stop([id], { timeoutMs: 10_000 });
    await start(other);
  });

  test('A stream that nobody publishes, says nothing of or that WebM cannot hold is refused', async (t) => {
    const { registry, start, told } = await openHome(t);
    await assert.rejects(start(), named('stream_not_found'));
    await publish(registry, 'silent', []);
    await assert.rejects(start({ stream: name('silent') }), named('stream_not_found'));
    await publish(registry, 'h264', [AUDIO, H264]);
    await assert.rejects(start({ stream: name('h264') }), named('codec_not_recordable'));
    assert.deepEqual(told(), []);
  });

  test('A stream whose publisher says soon what it carries is waited for', async (t) => {
    const { registry, start } = await openHome(t);
    const epoch = await publish(registry, 'lobby', []);
    const starting = start();
    await registry.describeStream(name('lobby'), epoch, [AUDIO]);
    assert.equal((await starting).attempt, 1);
  });

  test('A recording that did not begin in time goes on to begin, and is what is meant when it is asked for again', async (t) => {
    const { registry, storage, start, told } = await openHome(t);
    await publish(registry);
    await assert.rejects(start({ timeoutMs: 50 }), named('timed_out'));
    const [id] = storage.reserved.values();
    const { attempt, id: sameId } = await start();
    assert.deepEqual([attempt, sameId], [1, id]);
    assert.deepEqual(told(), ['1 record']);
  });

  test('Without media in time, and not asked for again, a recording is given up and leaves nothing', async (t) => {
    const { registry, storage, environment, start, ended, noted, clock } = await openHome(t, {
      way: 'media',
    });
    await publish(registry);
    await assert.rejects(start({ timeoutMs: 1500 }), named('timed_out'));
    environment.FAKE_WAY = '';
    assert.equal(storage.reserved.size, 1);
    clock.aheadMs = 10_000;
    await until(() => storage.reserved.size === 0);
    const pids = noted().map(({ pid }) => pid);
    assert.ok(!pids.some(isAlive));
    assert.equal((await start()).attempt, 1);
    assert.deepEqual(ended, []);
    assert.equal((await registry.recordings({ limit: 10 })).length, 1);
  });

  test('A recorder that is killed has a successor at once, which goes on with the recording', async (t) => {
    const { launcher, registry, start, told, pidOf } = await openHome(t);
    await publish(registry);
    const { id } = await start();
    process.kill(pidOf(1), 'SIGKILL');
    await until(async () => (await launcher.find(id))?.attempt === 2);
    await until(() => told().includes('2 record'));
    assert.equal((await launcher.find(id))?.progress.state, 'recording');
    const [stopped] = await launcher.stop([id], { timeoutMs: 10_000 });
    assert.equal(stopped?.progress.state, 'completed');
    await until(() => told().length === 3);
    assert.deepEqual(told(), ['1 record', '2 record', '2 completed']);
  });

  test('Recorders that die of their start are followed ever more slowly, and the recording does not fail', async (t) => {
    const { environment, registry, start, told } = await openHome(t, { way: 'die' });
    await publish(registry);
    const starting = start();
    await until(() => told().length === 3);
    environment.FAKE_WAY = '';
    assert.equal((await starting).progress.state, 'recording');
    assert.deepEqual(told(), ['1 record', '2 record', '3 record', '4 record']);
  });

  test('A recorder that stands still is killed and has a successor', async (t) => {
    const { registry, start, told, pidOf } = await openHome(t);
    await publish(registry);
    await start();
    const pid = pidOf(1);
    process.kill(pid, 'SIGSTOP');
    await until(() => told().includes('2 record'));
    await until(() => !isAlive(pid));
  });

  test('A home that stood still itself takes no recorder for dead that was not heard meanwhile', async (t) => {
    const { launcher, registry, start, metric, clock, pidOf } = await openHome(t);
    await publish(registry);
    const { id } = await start();
    process.kill(pidOf(1), 'SIGSTOP');
    const said = (await registry.findRecording(id))?.saidAtMs;
    clock.aheadMs = 20_000;
    // It has looked at its recorders then.
    await until(async () => (await registry.findRecording(id))?.saidAtMs !== said);
    process.kill(pidOf(1), 'SIGCONT');
    const durableMs = (await launcher.find(id))?.progress.durableMs ?? 0;
    await until(async () => ((await launcher.find(id))?.progress.durableMs ?? 0) > durableMs);
    assert.equal(await metric('millrace_recorders_died_total'), 0);
    assert.equal((await launcher.find(id))?.attempt, 1);
  });

  test('A recorder that must leave goes when its successor has media, and not before', async (t) => {
    const { launcher, registry, start, told, pidOf } = await openHome(t);
    await publish(registry);
    const { id } = await start();
    process.kill(pidOf(1), 'SIGTERM');
    await until(() => told().includes('1 handed over'));
    assert.deepEqual(told(), ['1 record', '2 record waits', '1 handed over']);
    await until(async () => {
      const record = await launcher.find(id);
      return record?.attempt === 2 && record.progress.state === 'recording';
    });
    const [stopped] = await launcher.stop([id], { timeoutMs: 10_000 });
    assert.equal(stopped?.progress.state, 'completed');
  });

  test('A recording ends when its publisher has been away for the resume time', async (t) => {
    const { registry, start, ended } = await openHome(t, { resumeMs: 1000 });
    const epoch = await publish(registry);
    await start();
    await registry.releaseStream(name('lobby'), epoch);
    await until(() => ended.length === 1);
    assert.equal(ended[0]?.progress.state, 'completed');
  });

  test('A publisher that comes back in time is recorded on by the same recorder', async (t) => {
    const { registry, start, ended, told } = await openHome(t, { resumeMs: 2000 });
    const epoch = await publish(registry);
    await start();
    await registry.releaseStream(name('lobby'), epoch);
    await publish(registry);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    assert.deepEqual([ended, told()], [[], ['1 record']]);
  });

  test('An unfinished recording in storage goes on when its stream is there, above the attempts before', async (t) => {
    const { registry, launcher, told } = await openHome(t, { unfinished: [unfinished('old', 6)] });
    await publish(registry);
    await until(() => told().includes('7 record'));
    const record = await launcher.find(recording('old').id);
    assert.deepEqual([record?.attempt, record?.stream], [7, 'lobby']);
  });

  test('An unfinished recording whose publisher does not come is completed after the resume time', async (t) => {
    const { ended, told } = await openHome(t, {
      resumeMs: 500,
      unfinished: [unfinished('old', 6), unfinished('older', 0)],
    });
    await until(() => ended.length === 2);
    assert.deepEqual(
      ended.map(({ progress }) => progress.state),
      ['completed', 'completed'],
    );
    assert.ok(told().includes('7 stop') && told().includes('1 stop'));
  });

  test('No more unfinished recordings are taken on at once than may run', async (t) => {
    const { registry, ended, told } = await openHome(t, {
      maxRecordings: 1,
      resumeMs: 500,
      unfinished: [unfinished('old', 6), unfinished('older', 6)],
    });
    await until(() => ended.length === 1);
    assert.equal(told().length, 2);
    assert.equal((await registry.recordings({ limit: 10 })).length, 1);
  });

  test('A recording that was being stopped when its host went is stopped by the next, though its stream is there', async (t) => {
    const { registry } = await openHome(t);
    await publish(registry);
    const { id } = recording('old');
    await registry.enterRecording(recording('old'), 'host-1');
    await registry.takeRecording({ id, host: 'host-1', seen: 0 });
    await registry.saveRecording(id, 1, { ...NO_PROGRESS, state: 'finishing' });
    const { ended, told } = await openHome(t, { registry, unfinished: [unfinished('old', 1)] });
    await until(() => ended.length === 1);
    assert.deepEqual(told(), ['2 stop', '2 completed']);
  });

  test('An unfinished recording that another host looks after is left to it while its lease holds', async (t) => {
    const { registry } = await openHome(t);
    await registry.enterRecording(recording('old'), 'host-2');
    await registry.takeRecording({ id: recording('old').id, host: 'host-2', seen: 0 });
    const { told } = await openHome(t, { registry, resumeMs: 100, unfinished: [unfinished('old', 1)] });
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.deepEqual(told(), []);
    assert.equal((await registry.findRecording(recording('old').id))?.host, 'host-2');
  });

  test('As home ends its recorders go, and the recording is neither completed nor failed', async (t) => {
    const { registry, launcher, start, ended, told } = await openHome(t);
    await publish(registry);
    const { id } = await start();
    await launcher.close();
    assert.deepEqual(told(), ['1 record', '1 home is gone']);
    assert.deepEqual(ended, []);
    assert.equal((await registry.findRecording(id))?.progress.state, 'recording');
    await assert.rejects(start({ key: 'b.webm' as RecordingKey }), named('shutting_down'));
  });

  test('A recording that another host has taken is given up', async (t) => {
    const { registry, start, told, launcher } = await openHome(t);
    await publish(registry);
    const record = await start();
    const { id, attempt } = record;
    // As after a pause of this process that was longer than its lease.
    await registry.forgetRecording(id, attempt);
    await registry.enterRecording(specOf(record), 'host-2');
    await registry.takeRecording({ id, host: 'host-2', seen: 0, stored: attempt });
    await until(() => told().includes('1 superseded'));
    await until(async () => (await launcher.find(id))?.host === 'host-2');
  });

  test('A registry that has lost a recording is told of it again, and grants its end', async (t) => {
    const { registry, start, told, launcher, pidOf } = await openHome(t);
    await publish(registry);
    const { id } = await start();
    await registry.forgetRecording(id, 1);
    await until(async () => (await registry.findRecording(id))?.progress.state === 'recording');
    assert.equal((await registry.findRecording(id))?.attempt, 1);
    await registry.forgetRecording(id, 1);
    process.kill(pidOf(1), 'SIGKILL');
    await until(() => told().includes('2 record'));
    await until(async () => (await launcher.find(id))?.attempt === 2);
    await registry.forgetRecording(id, 2);
    const [stopped] = await launcher.stop([id], { timeoutMs: 10_000 });
    assert.equal(stopped?.progress.state, 'completed');
  });

  test('A recorder is told nothing of the recordings of others', async (t) => {
    const { launcher, registry, start } = await openHome(t);
    await publish(registry);
    const { id, progress } = await start();
    const peer = { identity: { recording: recording('other').id }, notify: () => {}, onClose: () => {} };
    const calls = launcher.serve(peer);
    const report = { recording: id, attempt: 1, progress, leaving: false, receiving: true, silentMs: 0 };
    await assert.rejects(calls.report(report), named('not_authorised'));
    await assert.rejects(calls.finish({ recording: id, epoch: 65_536 }), named('not_authorised'));
  });

  test('What runs, ended and died is counted', async (t) => {
    const { launcher, registry, start, metric, pidOf } = await openHome(t);
    await publish(registry);
    const { id } = await start();
    assert.equal(await metric('millrace_recordings{state="recording"}'), 1);
    process.kill(pidOf(1), 'SIGKILL');
    await until(async () => (await metric('millrace_recorders_died_total')) === 1);
    await until(async () => (await metric('millrace_recorders_started_total')) === 2);
    await launcher.stop([id], { timeoutMs: 10_000 });
    assert.equal(await metric('millrace_recordings_ended_total{outcome="completed"}'), 1);
    await until(async () => (await metric('millrace_recordings{state="recording"}')) === 0);
  });

  test('Recordings are listed and found as their recorders describe them', async (t) => {
    const { launcher, registry, start } = await openHome(t);
    await publish(registry);
    const { id } = await start();
    const listed = await launcher.list({ limit: 10 });
    assert.deepEqual(
      listed.map((record: RecordingRecord) => [record.id, record.progress.state]),
      [[id, 'recording']],
    );
    assert.deepEqual(await launcher.list({ limit: 10, stream: name('other') }), []);
    await assert.rejects(
      launcher.stop([recording('x').id], { timeoutMs: 100 }),
      named('recording_not_running'),
    );
  });
});

function unfinished(id: string, attempt: number) {
  return { spec: recording(id, { limits: shortLived }), attempt, writtenAtMs: Date.now() };
}

const shortLived = { ...recording('any').limits, resumeMs: 500 };

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
