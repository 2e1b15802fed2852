import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openFolder } from '../../adapters/storage/folder/folder.ts';
import { rolledOver } from '../../core/recording/file-name.ts';
import type { RecordingId } from '../../core/recording/recording.ts';
import { readableEnds, readFile } from '../store/harness/numbered-chunks.ts';
import { Feeder, keysIn, LONG, silent, specOf, temporaryFolder } from '../store/harness/trial.ts';
import { specKey, tailKey } from '../store/layout.ts';
import { openStore } from '../store/open-store.ts';
import { reserveFile } from '../store/reserve-file.ts';
import { findUnfinished } from './find-unfinished.ts';
import { finishRecording } from './finish-recording.ts';

const spec = specOf({ sidecar: true });
const TIME = { log: silent, timeoutMs: 20_000 } as const;

async function trial(t: TestContext) {
  const folder = await temporaryFolder(t);
  const objects = openFolder(join(folder, 'storage'));
  t.after(() => objects.close());
  const common = { objects, spoolDirectory: join(folder, 'spool'), log: silent, partBytes: 20_000 };
  const record = async (epoch: number, file: number, chunks: number) => {
    const store = await openStore({ ...common, spec, epoch, file });
    const feeder = new Feeder(store, epoch);
    for (let index = 0; index < chunks; index++) assert.ok(feeder.feed(3000));
    assert.ok(await store.close(20_000));
    return feeder.fed;
  };
  const finish = (epoch: number) =>
    finishRecording({ ...common, ...TIME, id: spec.id, epoch, ends: readableEnds });
  return { objects, record, finish };
}

test('All files of a recording are completed, each with its description', async (t) => {
  const { objects, record, finish } = await trial(t);
  const first = await record(1, 0, 20);
  const second = await record(2, 1, 5);
  const finished = await finish(3);
  const other = rolledOver(spec.key, 2);
  assert.deepEqual(
    finished?.files.map(({ key, durationMs }) => [key, durationMs]),
    [
      [spec.key, 20_000],
      [other, 5000],
    ],
  );
  assert.deepEqual(await keysIn(objects), [other, `${other}.json`, spec.key, `${spec.key}.json`]);
  for (const [key, fed] of [
    [spec.key, first],
    [other, second],
  ] as const) {
    assert.deepEqual(readFile((await objects.get(key, LONG)) ?? Buffer.alloc(0)), fed);
    const metadata = (await objects.head(key, LONG))?.metadata;
    assert.equal(metadata?.['millrace-recording'], spec.id);
    assert.equal(decodeURIComponent(metadata?.['millrace-stream'] ?? ''), spec.stream);
    assert.equal(metadata?.['millrace-duration-ms'], String(fed.length * 1000));
    const sidecar = JSON.parse(Buffer.from((await objects.get(`${key}.json`, LONG)) ?? []).toString());
    assert.deepEqual(
      [sidecar.recording, sidecar.fileName, sidecar.duration_ms],
      [spec.id, key, fed.length * 1000],
    );
  }
});

test('A sidecar’s name that others have is left to them', async (t) => {
  const { objects, record, finish } = await trial(t);
  const theirs = Buffer.from('theirs');
  await objects.put(`${spec.key}.json`, theirs, LONG);
  await record(1, 0, 2);
  await finish(2);
  assert.deepEqual(Buffer.from((await objects.get(`${spec.key}.json`, LONG)) ?? []), theirs);
});

test('A recording without media leaves nothing, not even its name', async (t) => {
  const { objects, record, finish } = await trial(t);
  await record(1, 0, 0);
  assert.deepEqual((await finish(2))?.files, []);
  assert.deepEqual(await keysIn(objects), []);
});

test('A name that was reserved for a recorder that never came is given back', async (t) => {
  const { objects, finish } = await trial(t);
  await reserveFile({ objects, spec, ...TIME });
  await reserveFile({ objects, spec, ...TIME });
  assert.deepEqual(await keysIn(objects), [specKey(spec.id), spec.key]);
  assert.deepEqual((await finish(1))?.files, []);
  assert.deepEqual(await keysIn(objects), []);
});

test('What is found unfinished says who recorded what, and is gone when it is finished', async (t) => {
  const { objects, record, finish } = await trial(t);
  await record(5, 0, 3);
  const [found, ...others] = await findUnfinished({ objects, ...TIME });
  assert.deepEqual(others, []);
  assert.deepEqual([found?.spec, found?.file, found?.newestEpoch], [spec, 0, 5]);
  assert.ok(Math.abs(Date.now() - (found?.newestModifiedAtMs ?? 0)) < 60_000);
  await finish(6);
  assert.deepEqual(await findUnfinished({ objects, ...TIME }), []);
  assert.equal(await finish(7), undefined);
});

test('What a writer left after its recording was complete is found without a specification, and deleted', async (t) => {
  const { objects, record, finish } = await trial(t);
  await record(1, 0, 3);
  await finish(2);
  const before = await keysIn(objects);
  await objects.put(tailKey(spec.id, 0, 1, 4), Buffer.from('late'), LONG);
  const [found] = await findUnfinished({ objects, ...TIME });
  assert.deepEqual([found?.id, found?.spec], [spec.id, undefined]);
  assert.equal(await finish(3), undefined);
  assert.deepEqual(await keysIn(objects), before);
});

test('What others keep below .millrace/ is left alone', async (t) => {
  const { objects, record, finish } = await trial(t);
  await objects.put('.millrace/theirs', Buffer.from('theirs'), LONG);
  await record(1, 0, 3);
  assert.equal((await findUnfinished({ objects, ...TIME })).length, 1);
  await finish(2);
  assert.deepEqual(await keysIn(objects, '.millrace/'), ['.millrace/theirs']);
});

test('A recording whose spec cannot be read hides no other', async (t) => {
  const { objects, record } = await trial(t);
  await record(1, 0, 3);
  const broken = specOf({ id: 'broken' as RecordingId });
  await objects.put(specKey(broken.id), Buffer.from('not a spec'), LONG);
  await objects.put(tailKey(broken.id, 0, 1, 0), Buffer.from('nor a tail'), LONG);
  const found = await findUnfinished({ objects, ...TIME });
  assert.deepEqual(
    found.map(({ id }) => id),
    [spec.id],
  );
});
