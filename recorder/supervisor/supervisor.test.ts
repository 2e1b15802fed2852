import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { RECORDER_EXIT } from '../../core/channel/recorder.ts';
import { recordingEpoch } from '../../core/recording/recording.ts';
import { RECORD, startAttempt, until } from './harness/attempt.ts';

test('A recorder records until it is told to stop, then completes the file and says so', async (t) => {
  const { supervisor, home, told } = startAttempt(t);
  await until(() => home.state === 'recording' && home.last?.receiving === true);
  home.tell({ ...RECORD, todo: 'stop' });
  assert.equal(await supervisor.ended, RECORDER_EXIT.completed);
  assert.deepEqual(told('muxer'), ['start record', 'flush', 'finish']);
  assert.deepEqual(home.asked, [recordingEpoch(3, 0)]);
  assert.ok(home.reports.some(({ progress }) => progress.state === 'finishing'));
  const { progress } = home.last ?? {};
  assert.equal(progress?.state, 'completed');
  assert.deepEqual(progress?.files, [{ key: 'a.webm', bytes: 1000, durationMs: 4000 }]);
  assert.deepEqual([progress?.bytes, progress?.durableMs], [1000, 4000]);
  assert.deepEqual(progress?.gaps, { count: 2, totalMs: 300 });
});

test('A muxer that dies has a successor with a higher epoch at once; the receiver stays', async (t) => {
  const { home, starts } = startAttempt(t);
  await until(() => home.state === 'recording');
  const [first] = starts('muxer');
  process.kill(first?.pid ?? 0, 'SIGKILL');
  await until(() => starts('muxer').length === 2);
  const epochs = starts('muxer').map(({ order }) => ('epoch' in order ? order.epoch : undefined));
  assert.deepEqual(epochs, [recordingEpoch(3, 0), recordingEpoch(3, 1)]);
  assert.equal(starts('receiver').length, 1);
});

test('A receiver that dies has a successor at once, at the same socket; the muxer stays', async (t) => {
  const { home, starts } = startAttempt(t);
  await until(() => home.last?.receiving === true);
  const [first] = starts('receiver');
  process.kill(first?.pid ?? 0, 'SIGKILL');
  await until(() => starts('receiver').length === 2);
  const paths = starts('receiver').map(({ order }) => ('socketPath' in order ? order.socketPath : undefined));
  assert.equal(paths[0], paths[1]);
  assert.equal(starts('muxer').length, 1);
  assert.ok(home.reports.some(({ receiving }) => !receiving));
  await until(() => home.last?.receiving === true);
});

for (const part of ['muxer', 'receiver'] as const) {
  test(`A ${part} that stands still is killed and has a successor`, async (t) => {
    const { home, starts } = startAttempt(t);
    await until(() => home.state === 'recording' && starts(part).length === 1);
    const [first] = starts(part);
    assert.ok(first);
    process.kill(first.pid, 'SIGSTOP');
    await until(() => starts(part).length === 2);
    await until(() => !isAlive(first.pid));
  });
}

test('A recorder that must leave says so, goes on, and goes when its successor has media', async (t) => {
  const { supervisor, home, told } = startAttempt(t);
  await until(() => home.state === 'recording');
  supervisor.leave();
  await until(() => home.last?.leaving === true);
  assert.deepEqual(told('muxer'), ['start record']);
  home.tell({ ...RECORD, handOver: true });
  assert.equal(await supervisor.ended, RECORDER_EXIT.left);
  assert.deepEqual(told('muxer'), ['start record', 'flush']);
  assert.deepEqual(home.asked, []);
  assert.equal(home.state, 'recording');
});

test('A recorder whose home is gone makes everything durable and goes, completing nothing', async (t) => {
  const { supervisor, home, told } = startAttempt(t, { muxer: 'slow' });
  await until(() => home.state === 'recording');
  // As a home answers that is about to end.
  home.orders = { ...RECORD, todo: 'superseded' };
  supervisor.homeLost();
  assert.equal(await supervisor.ended, RECORDER_EXIT.left);
  assert.deepEqual(told('muxer'), ['start record', 'flush', 'flushed']);
  assert.deepEqual(home.asked, []);
});

test('A recorder that another attempt has taken over from goes at once', async (t) => {
  const { supervisor, home, starts, told } = startAttempt(t);
  await until(() => home.state === 'recording' && starts('receiver').length === 1);
  home.tell({ ...RECORD, todo: 'superseded' });
  assert.equal(await supervisor.ended, RECORDER_EXIT.left);
  assert.deepEqual(told('muxer'), ['start record']);
  const pids = [...starts('muxer'), ...starts('receiver')].map(({ pid }) => pid);
  await until(() => !pids.some(isAlive));
});

test('A recorder that is not granted the end completes nothing', async (t) => {
  const { supervisor, home, told } = startAttempt(t);
  await until(() => home.state === 'recording');
  home.granted = false;
  home.tell({ ...RECORD, todo: 'stop' });
  assert.equal(await supervisor.ended, RECORDER_EXIT.left);
  assert.deepEqual(told('muxer'), ['start record', 'flush']);
});

test('A recorder asks for the grant until home can say', async (t) => {
  const { supervisor, home } = startAttempt(t);
  await until(() => home.state === 'recording');
  home.granted = undefined;
  home.tell({ ...RECORD, todo: 'stop' });
  await until(() => home.asked.length > 1);
  home.granted = true;
  assert.equal(await supervisor.ended, RECORDER_EXIT.completed);
});

test('A recorder goes on while home is away, and does what it says when it is back', async (t) => {
  const { supervisor, home, told } = startAttempt(t);
  await until(() => home.state === 'recording');
  home.reachable = false;
  home.orders = { ...RECORD, todo: 'stop' };
  const { length } = home.reports;
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.deepEqual([home.reports.length, told('muxer')], [length, ['start record']]);
  home.reachable = true;
  assert.equal(await supervisor.ended, RECORDER_EXIT.completed);
});

test('A recorder that begins with the end completes what storage has, and receives nothing', async (t) => {
  const { supervisor, told, starts } = startAttempt(t, { orders: { ...RECORD, todo: 'stop', source: null } });
  assert.equal(await supervisor.ended, RECORDER_EXIT.completed);
  assert.deepEqual(told('muxer'), ['start finish']);
  assert.deepEqual(starts('receiver'), []);
});

test('A muxer that dies as it completes the file has a successor that completes it', async (t) => {
  const { supervisor, home, starts, told } = startAttempt(t, { muxer: 'hang' });
  await until(() => home.state === 'recording');
  home.tell({ ...RECORD, todo: 'stop' });
  await until(() => told('muxer').includes('finish'));
  process.env.FAKE_MUXER = '';
  process.kill(starts('muxer')[0]?.pid ?? 0, 'SIGKILL');
  assert.equal(await supervisor.ended, RECORDER_EXIT.completed);
  assert.deepEqual(told('muxer'), ['start record', 'flush', 'finish', 'start finish']);
});

test('A recorder with a predecessor receives, and writes when that has gone', async (t) => {
  const { home, told } = startAttempt(t, { orders: { ...RECORD, waitForPredecessor: true } });
  await until(() => home.last?.receiving === true);
  assert.equal(home.state, 'starting');
  assert.deepEqual(told('muxer'), ['start wait']);
  home.tell(RECORD);
  await until(() => home.state === 'recording');
  assert.deepEqual(told('muxer'), ['start wait', 'write']);
});

test('A recording that is stopped before its predecessor has gone is completed when it has', async (t) => {
  const { supervisor, home, told } = startAttempt(t, { orders: { ...RECORD, waitForPredecessor: true } });
  await until(() => home.last?.receiving === true);
  home.tell({ ...RECORD, todo: 'stop', waitForPredecessor: true });
  home.tell({ ...RECORD, todo: 'stop' });
  assert.equal(await supervisor.ended, RECORDER_EXIT.completed);
  assert.deepEqual(told('muxer'), ['start wait', 'write', 'flush', 'finish']);
});

test('A recording that has its longest duration is completed', async (t) => {
  const { supervisor, home } = startAttempt(t, { muxer: 'limit' });
  assert.equal(await supervisor.ended, RECORDER_EXIT.completed);
  assert.equal(home.state, 'completed');
});

test('A recording without media has failed', async (t) => {
  const { supervisor, home } = startAttempt(t, { muxer: 'nothing' });
  await until(() => home.state === 'recording');
  home.tell({ ...RECORD, todo: 'stop' });
  assert.equal(await supervisor.ended, RECORDER_EXIT.failed);
  assert.deepEqual([home.state, home.last?.progress.message], ['failed', 'no media came']);
});

test('A receiver is told where the stream is published now', async (t) => {
  const { home, heard, told } = startAttempt(t);
  await until(() => home.state === 'recording' && told('receiver').length === 1);
  const source = { address: 'ws://127.0.0.1:2', epoch: 8 };
  home.tell({ ...RECORD, source });
  home.tell({ ...RECORD, source });
  home.tell({ ...RECORD, source: null });
  await until(() => told('receiver').length === 3);
  assert.deepEqual(
    heard()
      .filter(({ part }) => part === 'receiver')
      .slice(1)
      .map(({ order }) => order),
    [
      { type: 'source', source },
      { type: 'source', source: null },
    ],
  );
});

test('A recorder leaves no socket behind', async (t) => {
  const { supervisor, home, starts } = startAttempt(t);
  await until(() => home.state === 'recording' && starts('receiver').length === 1);
  const [start] = starts('receiver');
  const path = start !== undefined && 'socketPath' in start.order ? start.order.socketPath : '';
  assert.ok(existsSync(path.replace(/\/source$/, '')));
  home.tell({ ...RECORD, todo: 'stop' });
  await supervisor.ended;
  assert.equal(existsSync(path.replace(/\/source$/, '')), false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
