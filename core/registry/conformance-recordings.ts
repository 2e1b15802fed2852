import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_PROGRESS } from '../recording/progress.ts';
import type { RecordingKey, RecordingProgress, RecordingRecord } from '../recording/recording.ts';
import { name, type Open, recording, recordingId, running } from './conformance-trial.ts';
import { RECORDING_KEPT_MS, RECORDING_LEASE_MS, type Registry } from './registry.ts';

const HOST = 'host-1';
const RUNNING: RecordingProgress = { ...NO_PROGRESS, state: 'recording', durableMs: 4000, bytes: 12_345 };
const COMPLETED: RecordingProgress = { ...RUNNING, state: 'completed' };
const FAILED: RecordingProgress = { ...RUNNING, state: 'failed', message: 'no media came' };

export function describeRecordings(open: Open): void {
  describeAttempts(open);
  describeReannounced(open);
  describeLists(open);
}

function describeAttempts(open: Open): void {
  test('A recording that is entered is found as it was asked for, without an attempt', async (t) => {
    const { registry, peer } = await open(t);
    const result = await registry.enterRecording(recording('a'), HOST);
    assert.ok(result.entered);
    const { saidAtMs } = result.record;
    assert.ok(Number.isSafeInteger(saidAtMs));
    const record = { ...recording('a'), host: HOST, attempt: 0, progress: NO_PROGRESS, saidAtMs };
    assert.deepEqual(result.record, record);
    assert.deepEqual(await peer.findRecording(recordingId('a')), record);
  });

  test('The key of a recording that runs is refused to another, which is told who has it', async (t) => {
    const { registry, peer } = await open(t);
    const first = await begun(registry, 'a');
    const other = recording('b', { key: 'a.webm' as RecordingKey });
    assert.deepEqual(await peer.enterRecording(other, 'host-2'), { entered: false, holder: first });
    assert.equal(await registry.findRecording(other.id), undefined);
  });

  for (const ended of [COMPLETED, FAILED]) {
    test(`The key of a recording that ${ended.state} is free`, async (t) => {
      const { registry } = await open(t);
      const { id, attempt } = await begun(registry, 'a');
      await registry.saveRecording(id, attempt, ended);
      const other = recording('b', { key: 'a.webm' as RecordingKey });
      assert.equal((await registry.enterRecording(other, HOST)).entered, true);
    });
  }

  test('Entered again by its host a recording stays as it is; another host is told who has it', async (t) => {
    const { registry, peer } = await open(t);
    const { id, attempt } = await begun(registry, 'a');
    await registry.saveRecording(id, attempt, RUNNING);
    const again = await registry.enterRecording(recording('a'), HOST);
    assert.ok(again.entered);
    assert.deepEqual([again.record.attempt, again.record.progress], [attempt, RUNNING]);
    const other = await peer.enterRecording(recording('a'), 'host-2');
    assert.ok(!other.entered);
    assert.deepEqual(other.holder, again.record);
  });

  test('An ended recording is not entered again', async (t) => {
    const { registry } = await open(t);
    const { id, attempt } = await begun(registry, 'a');
    await registry.saveRecording(id, attempt, COMPLETED);
    const again = await registry.enterRecording(recording('a'), HOST);
    assert.ok(!again.entered);
    assert.deepEqual(again.holder.progress, COMPLETED);
  });

  test('Each take begins the next attempt, and keeps what was said of the recording', async (t) => {
    const { registry, peer } = await open(t);
    const first = await begun(registry, 'a');
    assert.equal(first.attempt, 1);
    await registry.saveRecording(first.id, 1, RUNNING);
    const second = await registry.takeRecording({ id: first.id, host: HOST, seen: 1 });
    assert.deepEqual([second?.attempt, second?.progress], [2, RUNNING]);
    assert.deepEqual(await peer.findRecording(first.id), second);
  });

  test('An attempt is above what storage tells of', async (t) => {
    const { registry } = await open(t);
    const { id } = await begun(registry, 'a');
    const take = { id, host: HOST };
    assert.equal((await registry.takeRecording({ ...take, seen: 1, stored: 6 }))?.attempt, 7);
    assert.equal((await registry.takeRecording({ ...take, seen: 7, stored: 3 }))?.attempt, 8);
  });

  test('Of two that take a recording at once one gets it', async (t) => {
    const { registry, peer } = await open(t);
    const { id } = await begun(registry, 'a');
    const takes = [registry, peer, registry, peer].map((each) =>
      each.takeRecording({ id, host: HOST, seen: 1 }),
    );
    const granted = (await Promise.all(takes)).filter((record) => record !== undefined);
    assert.deepEqual(
      granted.map(({ attempt }) => attempt),
      [2],
    );
  });

  test('A take with another attempt than the last, of an unknown or of an ended recording is refused', async (t) => {
    const { registry } = await open(t);
    const { id } = await begun(registry, 'a');
    assert.equal(await registry.takeRecording({ id, host: HOST, seen: 0 }), undefined);
    assert.equal(await registry.takeRecording({ id, host: HOST, seen: 2 }), undefined);
    assert.equal(await registry.takeRecording({ id: recordingId('b'), host: HOST, seen: 0 }), undefined);
    await registry.saveRecording(id, 1, COMPLETED);
    assert.equal(await registry.takeRecording({ id, host: HOST, seen: 1 }), undefined);
    assert.equal((await registry.findRecording(id))?.attempt, 1);
  });

  test('Another host takes a recording when the lease of the one that has it has run out, and not before', async (t) => {
    const { registry, peer, until } = await open(t);
    const { id } = await begun(registry, 'a');
    const take = { id, host: 'host-2', seen: 1 };
    assert.equal(await peer.takeRecording(take), undefined);
    let taken: RecordingRecord | undefined;
    await until(async () => {
      taken = await peer.takeRecording(take);
      return taken !== undefined;
    });
    assert.deepEqual([taken?.host, taken?.attempt], ['host-2', 2]);
    assert.equal(await registry.takeRecording({ id, host: HOST, seen: 2 }), undefined);
  });

  test('A recording whose host is known to be gone is taken at once, another host’s is not', async (t) => {
    const { registry, peer } = await open(t);
    const { id } = await begun(registry, 'a');
    assert.equal(await peer.takeRecording({ id, host: 'host-2', seen: 1, gone: 'host-3' }), undefined);
    const taken = await peer.takeRecording({ id, host: 'host-2', seen: 1, gone: HOST });
    assert.deepEqual([taken?.host, taken?.attempt], ['host-2', 2]);
    assert.equal(await registry.saveRecording(id, 1, RUNNING), false);
  });

  test('One host at a time sweeps, another one when it has not said so for its lease', async (t) => {
    const { registry, peer, until } = await open(t);
    assert.equal(await registry.leaseSweep(HOST), true);
    assert.equal(await peer.leaseSweep('host-2'), false);
    assert.equal(await registry.leaseSweep(HOST), true);
    await until(() => peer.leaseSweep('host-2'));
    assert.equal(await registry.leaseSweep(HOST), false);
  });

  test('What a host says of a recording renews its lease', async (t) => {
    const { registry, peer, until } = await open(t);
    const { id } = await begun(registry, 'a');
    const witness = await begun(registry, 'witness');
    let renewals = 0;
    await until(async () => {
      renewals += 1;
      assert.equal(await registry.saveRecording(id, 1, RUNNING), true);
      const lapsed = await peer.takeRecording({ id: witness.id, host: 'host-2', seen: 1 });
      return lapsed !== undefined;
    });
    assert.ok(renewals > 1);
    assert.equal(await peer.takeRecording({ id, host: 'host-2', seen: 1 }), undefined);
    const { saidAtMs = 0 } = (await peer.findRecording(id)) ?? {};
    assert.ok(saidAtMs >= witness.saidAtMs + RECORDING_LEASE_MS - 1000);
  });

  test('What is said of a recording is found, unless an earlier attempt says it, or it has ended', async (t) => {
    const { registry, peer } = await open(t);
    const { id } = await begun(registry, 'a');
    assert.equal(await registry.saveRecording(id, 1, RUNNING), true);
    assert.deepEqual((await peer.findRecording(id))?.progress, RUNNING);
    await registry.takeRecording({ id, host: HOST, seen: 1 });
    assert.equal(await peer.saveRecording(id, 1, COMPLETED), false);
    assert.equal(await peer.saveRecording(id, 3, COMPLETED), false);
    assert.deepEqual((await registry.findRecording(id))?.progress, RUNNING);
    assert.equal(await peer.saveRecording(id, 2, COMPLETED), true);
    assert.equal(await peer.saveRecording(id, 2, RUNNING), false);
    assert.deepEqual((await registry.findRecording(id))?.progress, COMPLETED);
    assert.equal(await registry.saveRecording(recordingId('b'), 0, RUNNING), false);
  });

  test('Only the last attempt may finish, whenever it asks', async (t) => {
    const { registry, peer } = await open(t);
    const { id } = await begun(registry, 'a');
    assert.equal(await registry.grantFinish(id, 1), true);
    assert.equal(await registry.grantFinish(id, 1), true);
    await registry.takeRecording({ id, host: HOST, seen: 1 });
    assert.equal(await peer.grantFinish(id, 1), false);
    assert.equal(await peer.grantFinish(id, 3), false);
    assert.equal(await peer.grantFinish(id, 2), true);
    await registry.saveRecording(id, 2, COMPLETED);
    assert.equal(await peer.grantFinish(id, 2), true);
    assert.equal(await registry.grantFinish(recordingId('b'), 1), false);
  });

  test('A forgotten recording is gone with its key, and an earlier attempt forgets nothing', async (t) => {
    const { registry, peer } = await open(t);
    const { id } = await begun(registry, 'a');
    assert.equal(await registry.forgetRecording(id, 0), false);
    assert.equal(await registry.forgetRecording(id, 1), true);
    assert.equal(await registry.forgetRecording(id, 1), false);
    assert.equal(await peer.findRecording(id), undefined);
    assert.deepEqual(await registry.recordings({ limit: 10 }), []);
    const other = recording('b', { key: 'a.webm' as RecordingKey });
    assert.equal((await registry.enterRecording(other, HOST)).entered, true);
  });

  test('Forgetting an ended recording leaves its key to the one that has it now', async (t) => {
    const { registry } = await open(t);
    const { id } = await begun(registry, 'a');
    await registry.saveRecording(id, 1, COMPLETED);
    const key = 'a.webm' as RecordingKey;
    await registry.enterRecording(recording('b', { key }), HOST);
    assert.equal(await registry.forgetRecording(id, 1), true);
    const third = await registry.enterRecording(recording('c', { key }), HOST);
    assert.equal(third.entered ? 'none' : third.holder.id, 'b');
  });
}

function describeReannounced(open: Open): void {
  test('A registry that lost a recording has it back from its host, with its attempt, key and progress', async (t) => {
    const { registry, peer } = await open(t);
    const record = running('a', 3);
    assert.equal(await registry.reannounceRecording(record), true);
    const found = await peer.findRecording(record.id);
    assert.deepEqual(found, { ...record, saidAtMs: found?.saidAtMs });
    assert.ok((found?.saidAtMs ?? 0) > record.saidAtMs);
    assert.deepEqual(await registry.recordings({ limit: 10, stream: record.stream }), [found]);
    const other = await peer.enterRecording(recording('b', { key: record.key }), HOST);
    assert.deepEqual(other, { entered: false, holder: found });
    assert.equal(await registry.takeRecording({ id: record.id, host: 'host-2', seen: 3 }), undefined);
    assert.equal(await registry.saveRecording(record.id, 3, COMPLETED), true);
  });

  test('Of two that announce one recording the higher attempt wins, whoever comes first', async (t) => {
    const { registry, peer } = await open(t);
    const [lower, higher] = [running('a', 1), running('a', 2, { host: 'host-2' })];
    assert.equal(await registry.reannounceRecording(lower), true);
    assert.equal(await peer.reannounceRecording(higher), true);
    assert.equal(await registry.reannounceRecording(lower), false);
    const { host, attempt } = (await registry.findRecording(lower.id)) ?? {};
    assert.deepEqual([host, attempt], ['host-2', 2]);
  });

  test('Announced again by the host that it has, a recording is brought up to date', async (t) => {
    const { registry, peer } = await open(t);
    const { id } = await begun(registry, 'a');
    assert.equal(await registry.reannounceRecording(running('a', 1)), true);
    assert.deepEqual((await peer.findRecording(id))?.progress, running('a', 1).progress);
  });

  test("Nobody takes a recording by announcing another host's attempt, nor one that has ended", async (t) => {
    const { registry } = await open(t);
    const { id } = await begun(registry, 'a');
    assert.equal(await registry.reannounceRecording(running('a', 1, { host: 'host-2' })), false);
    assert.equal((await registry.findRecording(id))?.host, HOST);
    await registry.saveRecording(id, 1, COMPLETED);
    assert.equal(await registry.reannounceRecording(running('a', 1)), false);
    assert.deepEqual((await registry.findRecording(id))?.progress, COMPLETED);
  });

  test('A recording whose key another one took meanwhile is known all the same, and leaves it the key', async (t) => {
    const { registry } = await open(t);
    const record = running('a', 1);
    const other = recording('b', { key: record.key });
    assert.equal((await registry.enterRecording(other, HOST)).entered, true);
    assert.equal(await registry.reannounceRecording(record), true);
    assert.equal(await registry.saveRecording(record.id, 1, COMPLETED), true);
    const third = await registry.enterRecording(recording('c', { key: record.key }), HOST);
    assert.equal(third.entered ? 'none' : third.holder.id, 'b');
  });
}

function describeLists(open: Open): void {
  const listed = async (registry: Registry, page: Parameters<Registry['recordings']>[0]) =>
    (await registry.recordings(page)).map(({ id }) => id as string);

  test('Recordings are listed page by page, the newest first, running and ended ones', async (t) => {
    const { registry, peer } = await open(t);
    for (const [id, requestedAtMs] of [
      ['b', 2000],
      ['d', 3000],
      ['a', 2000],
      ['c', 10_000],
    ] as const) {
      await registry.enterRecording(recording(id, { requestedAtMs }), HOST);
    }
    await registry.takeRecording({ id: recordingId('d'), host: HOST, seen: 0 });
    await registry.saveRecording(recordingId('d'), 1, COMPLETED);
    assert.deepEqual(await listed(peer, { limit: 10 }), ['c', 'd', 'b', 'a']);
    assert.deepEqual(await listed(peer, { limit: 2 }), ['c', 'd']);
    assert.deepEqual(await listed(peer, { after: recordingId('d'), limit: 1 }), ['b']);
    assert.deepEqual(await listed(peer, { after: recordingId('a'), limit: 1 }), []);
    assert.deepEqual(await listed(peer, { after: recordingId('unknown'), limit: 10 }), []);
  });

  test('Recordings of one stream are listed alone', async (t) => {
    const { registry } = await open(t);
    for (const [id, stream, requestedAtMs] of [
      ['a', 'lobby', 1000],
      ['b', 'Lobby', 2000],
      ['c', 'lobby', 3000],
    ] as const) {
      await registry.enterRecording(recording(id, { stream: name(stream), requestedAtMs }), HOST);
    }
    const stream = name('lobby');
    assert.deepEqual(await listed(registry, { limit: 10, stream }), ['c', 'a']);
    assert.deepEqual(await listed(registry, { after: recordingId('c'), limit: 10, stream }), ['a']);
    assert.deepEqual(await listed(registry, { limit: 10, stream: name('other') }), []);
  });

  test('A recording is forgotten a day after its end, one that runs is not', async (t) => {
    const { registry, advance } = await open(t);
    if (advance === undefined) return t.skip('its time cannot be moved');
    const { id } = await begun(registry, 'ended');
    await begun(registry, 'running');
    await registry.saveRecording(id, 1, COMPLETED);
    advance(RECORDING_KEPT_MS - 1);
    assert.equal((await registry.findRecording(id))?.id, id);
    advance(1);
    assert.equal(await registry.findRecording(id), undefined);
    assert.deepEqual(await listed(registry, { limit: 10 }), ['running']);
    assert.equal((await registry.enterRecording(recording('ended'), HOST)).entered, true);
  });
}

/** Enters a recording and begins its first attempt. */
async function begun(registry: Registry, id: string): Promise<RecordingRecord> {
  const result = await registry.enterRecording(recording(id), HOST);
  assert.equal(result.entered, true);
  const record = await registry.takeRecording({ id: recordingId(id), host: HOST, seen: 0 });
  assert.ok(record);
  return record;
}
