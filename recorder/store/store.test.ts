import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openFolder } from '../../adapters/storage/folder/folder.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { finishRecording } from '../sweep/finish-recording.ts';
import { type ChunkMark, readableEnds, readFile } from './harness/numbered-chunks.ts';
import { Feeder, keysIn, LONG, silent, specOf, temporaryFolder } from './harness/trial.ts';
import { openStore } from './open-store.ts';
import type { RecordingStore } from './store.ts';
import type { StoreOptions } from './store-options.ts';

const PART_BYTES = 20_000;
const ENDS = { ends: readableEnds, timeoutMs: 20_000 };

test('A file is made of all chunks, and nothing else is left', async (t) => {
  const { objects, open } = await trial(t);
  const store = await open(1);
  const feeder = new Feeder(store, 1);
  for (let index = 0; index < 50; index++) {
    assert.ok(feeder.feed(3000));
    await new Promise(setImmediate);
  }
  const { file, settled } = await store.finish(ENDS);
  const bytes = await objects.get('live/a.webm', LONG);
  assert.deepEqual(readFile(bytes ?? Buffer.alloc(0)), feeder.fed);
  assert.deepEqual(file, { key: 'live/a.webm', bytes: bytes?.length, durationMs: 50_000 });
  await settled;
  assert.deepEqual(await keysIn(objects), [
    `.millrace/${specOf().id}/000000/done.json`,
    `.millrace/${specOf().id}/spec.json`,
    'live/a.webm',
  ]);
});

test('A successor goes on where a predecessor was killed, and another process completes it all', async (t) => {
  const { objects, open, finish } = await trial(t);
  const fed: ChunkMark[] = [];
  for (const epoch of [1, 2, 3]) {
    const store = await open(epoch);
    assert.equal(
      store.recovered?.nextOffset ?? 0,
      fed.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    const feeder = new Feeder(store, epoch);
    for (let index = 0; index < 25; index++) assert.ok(feeder.feed(3000));
    fed.push(...feeder.fed);
    assert.ok(await store.close(20_000));
  }
  const finished = await finish(4);
  const bytes = await objects.get('live/a.webm', LONG);
  assert.deepEqual(readFile(bytes ?? Buffer.alloc(0)), fed);
  assert.deepEqual(finished, {
    spec: specOf(),
    files: [{ key: 'live/a.webm', bytes: bytes?.length, durationMs: 75_000 }],
  });
  assert.deepEqual(await keysIn(objects), ['live/a.webm']);
  assert.deepEqual(await objects.uploads('', LONG), []);
});

interface Trial {
  finish(epoch: number): ReturnType<typeof finishRecording>;
  readonly objects: ObjectStore;
  open(epoch: number, change?: Partial<StoreOptions>): Promise<RecordingStore>;
}

async function trial(t: TestContext): Promise<Trial> {
  const folder = await temporaryFolder(t);
  const objects = openFolder(join(folder, 'storage'));
  t.after(() => objects.close());
  const open: Trial['open'] = (epoch, change) =>
    openStore({
      objects,
      spoolDirectory: join(folder, 'spool'),
      spec: specOf(),
      epoch,
      log: silent,
      partBytes: PART_BYTES,
      ...change,
    });
  const finish: Trial['finish'] = (epoch) =>
    finishRecording({ objects, id: specOf().id, epoch, ...ENDS, partBytes: PART_BYTES, log: silent });
  return { objects, open, finish };
}
