import assert from 'node:assert/strict';
import { after, afterEach, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';
import { displaced } from '../../core/recording/file-name.ts';
import type { RecordingSpec } from '../../core/recording/recording.ts';
import { newRecordingId } from '../../core/recording/recording-id.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { readableEnds, readFile } from '../../recorder/store/harness/numbered-chunks.ts';
import { Feeder, keysIn, LONG, silent, specOf, temporaryFolder } from '../../recorder/store/harness/trial.ts';
import { openStore } from '../../recorder/store/open-store.ts';
import { finishRecording } from '../../recorder/sweep/finish-recording.ts';
import { eventually } from '../harness/condition.ts';
import { type Fault, FaultProxy } from '../harness/fault-proxy.ts';
import type { S3Operation } from '../harness/s3-operation.ts';
import { startVersitygw } from '../harness/versitygw.ts';
import { openPlace } from './harness/appender.ts';
import { wholeObject } from './harness/appending.ts';

const PART_BYTES = 5 * 1024 * 1024;
const FINISH = { ends: readableEnds, timeoutMs: 60_000 } as const;

const s3 = await startVersitygw();
const proxy = await FaultProxy.start({ port: s3.port, secret: s3.credentials.AWS_SECRET_ACCESS_KEY });
after(async () => {
  await proxy.stop();
  await s3.stop();
});
afterEach(async () => {
  await proxy.accept();
  proxy.heal();
});

let trials = 0;

/** A recording of its own, in a prefix of its own. */
async function trial(t: TestContext, limits: Partial<RecordingSpec['limits']> = {}) {
  const prefix = `trial-${++trials}`;
  const objects = openPlace({ kind: 's3', endpoint: proxy.endpoint, prefix });
  /** Around the proxy. */
  const direct = openPlace({ kind: 's3', endpoint: s3.endpoint, prefix });
  t.after(() => {
    objects.close();
    direct.close();
  });
  const spec = specOf(
    { id: newRecordingId((count) => crypto.getRandomValues(new Uint8Array(count))) },
    limits,
  );
  const folder = await temporaryFolder(t);
  const common = { objects, spoolDirectory: folder, log: silent };
  const open = async (epoch: number, change: Partial<Parameters<typeof openStore>[0]> = {}) => {
    const store = await openStore({ ...common, spec, epoch, ...change });
    t.after(() => store.close(0));
    return store;
  };
  const finish = (epoch: number) => finishRecording({ ...common, ...FINISH, id: spec.id, epoch });
  const check = async (key: string, others: readonly string[] = []) => {
    const chunks = readFile(await wholeObject(direct, key));
    assert.deepEqual(await keysIn(direct), [key, ...others].toSorted());
    assert.deepEqual(await direct.uploads('', LONG), []);
    return chunks;
  };
  return { objects, direct, spec, open, finish, check };
}

/** Once few tails of three parts are left. */
async function partsStored(objects: ObjectStore): Promise<void> {
  await eventually('tails are deleted', async () => {
    const tails = (await keysIn(objects, '.millrace/')).filter((key) => key.endsWith('.tail'));
    return tails.length > 0 && tails.length < 30;
  });
}

type Store = Awaited<ReturnType<typeof openStore>>;

/** A chunk every 20 ms, so that a test of seconds has parts. @param each is called after each of them */
async function feedFor(feeder: Feeder, ms: number, bytes = 200_000, each = () => {}): Promise<void> {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs; ) {
    assert.ok(feeder.feed(bytes));
    each();
    await sleep(20);
  }
}

async function feedBytes(feeder: Feeder, bytes: number): Promise<void> {
  for (let fed = 0; fed < bytes; fed += 200_000) {
    assert.ok(feeder.feed(200_000));
    await sleep(5);
  }
}

async function completed(store: Store): Promise<void> {
  const { settled } = await store.finish(FINISH);
  await settled;
}

const faults: Readonly<Record<string, { readonly fault: Fault; readonly only?: readonly S3Operation[] }>> = {
  'answers 500': { fault: { type: 'status', status: 500, code: 'InternalError' } },
  'answers 503 SlowDown': { fault: { type: 'status', status: 503, code: 'SlowDown' } },
  'refuses the credentials for a while': { fault: { type: 'status', status: 403, code: 'AccessDenied' } },
  hangs: { fault: { type: 'hang' } },
  'cuts requests': { fault: { type: 'cut-request' } },
  'cuts answers': { fault: { type: 'cut-answer' } },
  'loses every answer': { fault: { type: 'lose-answer' } },
  'takes no parts': { fault: { type: 'status', status: 500, code: 'InternalError' }, only: ['UploadPart'] },
  'takes no objects': { fault: { type: 'status', status: 500, code: 'InternalError' }, only: ['PutObject'] },
  'deletes nothing': {
    fault: { type: 'status', status: 500, code: 'InternalError' },
    only: ['DeleteObject', 'DeleteObjects'],
  },
};

describe('A recording misses nothing while S3', () => {
  for (const [what, { fault, only }] of Object.entries(faults)) {
    it(what, async (t) => {
      const { open, finish, check, spec } = await trial(t);
      const store = await open(1);
      const feeder = new Feeder(store, 1);
      await feedBytes(feeder, PART_BYTES + 100_000);
      proxy.fail(fault, only ? { only } : {});
      // Answers without a body cannot be cut: between them it says for moments that nothing hinders it.
      let hindered = false;
      await feedFor(feeder, 3000, 200_000, () => (hindered ||= store.progress().hindrance !== undefined));
      if (!only) assert.ok(hindered || fault.type === 'hang');
      proxy.heal();
      assert.ok(await store.flush(30_000), JSON.stringify(store.progress()));
      await feedBytes(feeder, PART_BYTES);
      await completed(store);
      await finish(2);
      assert.deepEqual(await check(spec.key), feeder.fed);
    });
  }

  it('is out of reach for 10 s, and it is all durable soon after', async (t) => {
    const { open, finish, check, spec } = await trial(t);
    const store = await open(1);
    const feeder = new Feeder(store, 1);
    await feedBytes(feeder, PART_BYTES);
    await proxy.refuse();
    await feedFor(feeder, 10_000, 50_000);
    assert.ok(store.progress().spoolBytes > 5_000_000);
    await proxy.accept();
    assert.ok(await store.flush(10_000), JSON.stringify(store.progress()));
    await completed(store);
    await finish(2);
    assert.deepEqual(await check(spec.key), feeder.fed);
  });

  it('loses the answer to the completion', async (t) => {
    const { open, finish, check, spec } = await trial(t);
    const store = await open(1);
    const feeder = new Feeder(store, 1);
    await feedBytes(feeder, 3 * PART_BYTES);
    proxy.fail({ type: 'lose-answer' }, { only: ['CompleteMultipartUpload'], times: 1 });
    const { file, settled } = await store.finish(FINISH);
    await settled;
    assert.equal(file?.key, spec.key);
    await finish(2);
    assert.deepEqual(await check(spec.key), feeder.fed);
  });

  it('lets single connections hang, and no chunk waits until those are given up', async (t) => {
    const flushMs: number[] = [];
    const { open, finish, check, spec } = await trial(t);
    const store = await open(1, { onFlush: (ms) => flushMs.push(ms) });
    const feeder = new Feeder(store, 1);
    for (let round = 0; round < 5; round++) {
      proxy.fail({ type: 'hang' }, { only: ['PutObject'], times: 1 });
      for (let chunk = 0; chunk < 5; chunk++) {
        assert.ok(feeder.feed(20_000));
        await sleep(300);
      }
    }
    await completed(store);
    await finish(2);
    assert.deepEqual(await check(spec.key), feeder.fed);
    t.diagnostic(`slowest ${Math.round(Math.max(...flushMs))} ms`);
    assert.ok(Math.max(...flushMs) < 4000);
  });
});

describe('When S3 is slower than the media', () => {
  it('less is sent while it is behind, and the spool’s bound holds', async (t) => {
    const maxSpoolBytes = 20_000_000;
    const { open, finish, check, spec } = await trial(t, { maxSpoolBytes });
    const store = await open(1);
    const feeder = new Feeder(store, 1);
    await feedBytes(feeder, PART_BYTES);
    assert.ok(await store.flush(20_000));
    proxy.bytesPerSecond = 4_000_000;
    const upBefore = proxy.bytes.up;
    let refused = 0;
    for (let chunk = 0; chunk < 300; chunk++) {
      if (!feeder.feed(250_000)) refused++;
      assert.ok(store.progress().spoolBytes <= maxSpoolBytes);
      await sleep(15);
    }
    assert.ok(await store.flush(60_000));
    const sent = (proxy.bytes.up - upBefore) / (store.progress().nextOffset - PART_BYTES);
    t.diagnostic(`${refused} of 300 chunks refused; ${sent.toFixed(2)} bytes sent for one of media`);
    proxy.bytesPerSecond = undefined;
    assert.ok(sent < 2, `${sent}`);
    assert.ok(refused > 0);
    await completed(store);
    await finish(2);
    assert.deepEqual(await check(spec.key), feeder.fed);
  });
});

describe('A writer that dies while S3 is out of reach', () => {
  it('has a successor on its machine that goes on from the spool within 3 s', async (t) => {
    const { open, finish, check, spec } = await trial(t);
    const first = await open(65536);
    const feeder = new Feeder(first, 65536);
    await feedBytes(feeder, 2 * PART_BYTES);
    await proxy.refuse();
    await feedFor(feeder, 1000, 50_000);
    // As dead as it can be within one process: it sends nothing more.
    await first.close(0);
    const beganMs = performance.now();
    const second = await open(65537);
    assert.ok(performance.now() - beganMs < 3000);
    assert.equal(
      second.recovered?.nextOffset,
      feeder.fed.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    const successor = new Feeder(second, 65537);
    await feedFor(successor, 1000, 50_000);
    await proxy.accept();
    assert.ok(await second.flush(20_000));
    await completed(second);
    await finish(65538);
    assert.deepEqual(await check(spec.key), [...feeder.fed, ...successor.fed]);
  });
});

describe('An object of others', () => {
  const theirs = Buffer.from('somebody’s holiday');

  it('that has the name already is left alone, and the name is taken', async (t) => {
    const { open, direct, spec } = await trial(t);
    await direct.put(spec.key, theirs, LONG);
    await assert.rejects(
      open(1),
      (error) => error instanceof MillraceError && error.errorName === 'name_taken',
    );
    assert.deepEqual(Buffer.from((await direct.get(spec.key, LONG)) ?? []), theirs);
  });

  it('that is written over the reservation before there are parts stays, and the file gets another name', async (t) => {
    const { open, direct, spec, finish, check } = await trial(t);
    const store = await open(1);
    const feeder = new Feeder(store, 1);
    await feedBytes(feeder, 1_000_000);
    await direct.put(spec.key, theirs, LONG);
    await feedBytes(feeder, 2 * PART_BYTES);
    const { file, settled } = await store.finish(FINISH);
    await settled;
    assert.equal(file?.key, displaced(spec.key, 1));
    assert.deepEqual((await finish(2))?.files, [file]);
    assert.deepEqual(await check(file?.key ?? '', [spec.key]), feeder.fed);
    assert.deepEqual(Buffer.from((await direct.get(spec.key, LONG)) ?? []), theirs);
  });

  it('that is written there after the first parts stays; once it is moved away the file is completed', async (t) => {
    const { open, direct, spec, finish, check } = await trial(t);
    const store = await open(1);
    const feeder = new Feeder(store, 1);
    await feedBytes(feeder, 3 * PART_BYTES);
    assert.ok(await store.flush(20_000));
    await partsStored(direct);
    await direct.put(spec.key, theirs, LONG);
    const taken = (error: unknown) => error instanceof MillraceError && error.errorName === 'name_taken';
    await assert.rejects(store.finish(FINISH), taken);
    await assert.rejects(finish(2), taken);
    assert.deepEqual(Buffer.from((await direct.get(spec.key, LONG)) ?? []), theirs);
    await direct.delete([spec.key], LONG);
    await finish(3);
    assert.deepEqual(await check(spec.key), feeder.fed);
  });

  it('is safe in a store that ignores conditions, too, and the log warns of that', async (t) => {
    const warnings: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => void warnings.push(line) });
    const { open, direct, spec, finish, check } = await trial(t);
    proxy.fail({ type: 'ignore-conditions' });
    await direct.put(spec.key, theirs, LONG);
    await assert.rejects(
      open(1),
      (error) => error instanceof MillraceError && error.errorName === 'name_taken',
    );
    await direct.delete([spec.key], LONG);
    const store = await open(2, { log });
    assert.ok(warnings.some((line) => line.includes('ignores If-None-Match')));
    const feeder = new Feeder(store, 2);
    await feedBytes(feeder, 1_000_000);
    await direct.put(spec.key, theirs, LONG);
    await completed(store);
    await finish(3);
    assert.deepEqual(await check(displaced(spec.key, 2), [spec.key]), feeder.fed);
    assert.deepEqual(Buffer.from((await direct.get(spec.key, LONG)) ?? []), theirs);
  });
});

describe('An upload that others abort', () => {
  it('costs what was in its parts: the beginning is saved, and the store says that it is full', async (t) => {
    const { open, direct, spec, finish, check } = await trial(t);
    const store = await open(1);
    const feeder = new Feeder(store, 1);
    await feedBytes(feeder, 3 * PART_BYTES);
    assert.ok(await store.flush(20_000));
    await partsStored(direct);
    const [upload] = await direct.uploads('', LONG);
    assert.ok(upload);
    await direct.abortUpload(upload, LONG);
    await feedBytes(feeder, 2 * PART_BYTES);
    await eventually('full', () => store.progress().full);
    await feedBytes(feeder, PART_BYTES);
    await completed(store);
    await finish(2);
    const saved = await check(spec.key);
    assert.deepEqual(saved, feeder.fed.slice(0, saved.length));
    assert.ok(saved.length > 20);
  });
});
