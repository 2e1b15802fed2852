import assert from 'node:assert/strict';
import { after, afterEach, describe, it } from 'node:test';
import { openS3 } from '../../adapters/storage/s3/s3.ts';
import { MillraceError } from '../../core/protocol/error.ts';
import { honoursConditions } from '../../core/storage/honours-conditions.ts';
import { StorageConflict, type Upload } from '../../core/storage/object-store.ts';
import { FaultProxy } from '../harness/fault-proxy.ts';
import { BUCKET, startVersitygw } from '../harness/versitygw.ts';

const gateway = await startVersitygw();
const proxy = await FaultProxy.start({
  port: gateway.port,
  secret: gateway.credentials.AWS_SECRET_ACCESS_KEY,
});
const store = openS3({ bucket: BUCKET, prefix: 'faults', endpoint: proxy.endpoint, pathStyle: true });
after(async () => {
  store.close();
  await proxy.stop();
  await gateway.stop();
});
afterEach(async () => {
  await proxy.accept();
  proxy.heal();
});

const LONG = { timeoutMs: 20_000 };
const SHORT_MS = 400;
/** What a machine with other work to do may add to a deadline. */
const SLACK_MS = 2000;
const MIB = 1024 ** 2;
const body = new Uint8Array(MIB).fill(7);

/** Every call there is, on an object and an upload that are there. */
async function calls(timeoutMs: number): Promise<Readonly<Record<string, () => Promise<unknown>>>> {
  await store.put('there', body, LONG);
  const { etag = '' } = (await store.head('there', LONG)) ?? {};
  const upload = await newUpload('upload');
  const part = await store.uploadPart(upload, 1, body, LONG);
  const options = { timeoutMs };
  return {
    put: () => store.put('new', body, options),
    head: () => store.head('there', options),
    get: () => store.get('there', options),
    read: async () => {
      for await (const _ of (await store.read('there', options)) ?? []);
    },
    delete: () => store.delete(['none'], options),
    'delete of many': () => store.delete(['none', 'none either'], options),
    list: () => store.list('', options),
    setMetadata: () => store.setMetadata('there', { a: 'b' }, { ...options, ifMatch: etag }),
    createUpload: () => store.createUpload('other', { ...options, metadata: {}, contentType: 'video/webm' }),
    uploadPart: () => store.uploadPart(upload, 2, body, options),
    completeUpload: () => store.completeUpload(upload, [{ number: 1, etag: part.etag }], options),
    abortUpload: () => store.abortUpload({ ...upload, id: `${upload.id.slice(0, -1)}0` }, options),
    uploads: () => store.uploads('', options),
  };
}

function newUpload(key: string): Promise<Upload> {
  return store.createUpload(key, { ...LONG, metadata: {}, contentType: 'video/webm' });
}

/** @returns how long it took to fail */
async function fails(call: () => Promise<unknown>, message: RegExp): Promise<number> {
  const startedMs = performance.now();
  await assert.rejects(call(), (error) => {
    assert.ok(error instanceof MillraceError, String(error));
    assert.equal(error.errorName, 'storage_unavailable');
    assert.match(error.message, message);
    assert.match(error.message, /^s3:\/\/recordings\/faults at http:\/\/127\.0\.0\.1:\d+: cannot /);
    assert.doesNotMatch(`${error.message} ${JSON.stringify(error.cause ?? '')}`, /millrace-test|Signature=/);
    return true;
  });
  return performance.now() - startedMs;
}

describe('A call to a store', () => {
  it('that never answers ends with its deadline', async () => {
    const all = await calls(SHORT_MS);
    proxy.fail({ type: 'hang' });
    for (const [name, call] of Object.entries(all)) {
      const tookMs = await fails(call, /no answer within 400 ms/);
      assert.ok(tookMs >= SHORT_MS - 5 && tookMs < SHORT_MS + SLACK_MS, `${name} took ${tookMs} ms`);
    }
  });

  for (const [status, code, says] of [
    [500, 'InternalError', /it failed \(InternalError, HTTP 500\)/],
    [503, 'SlowDown', /asked too often.*\(SlowDown, HTTP 503\); have its limits raised/],
    [503, 'ServiceUnavailable', /not available now/],
    [403, 'AccessDenied', /do not allow it \(AccessDenied, HTTP 403\); grant s3:PutObject/],
    [507, 'InsufficientStorage', /InsufficientStorage, HTTP 507/],
  ] as const) {
    it(`that answers ${status} ${code} fails at once, and asks no second time`, async () => {
      const all = await calls(LONG.timeoutMs);
      proxy.fail({ type: 'status', status, code });
      for (const [name, call] of Object.entries(all)) {
        const asked = proxy.requests.length;
        // The answer to HEAD has no body, and with it no code.
        const tookMs = await fails(
          call,
          ['head', 'setMetadata'].includes(name) ? new RegExp(`HTTP ${status}`) : says,
        );
        assert.ok(tookMs < SLACK_MS, `${name} took ${tookMs} ms`);
        assert.equal(proxy.requests.length, asked + 1, name);
      }
    });
  }

  it('that nobody listens for fails at once, and works again when someone does', async () => {
    const all = await calls(LONG.timeoutMs);
    await proxy.refuse();
    for (const [name, call] of Object.entries(all)) {
      const tookMs = await fails(call, /nobody listens there|connection was cut/);
      assert.ok(tookMs < SLACK_MS, `${name} took ${tookMs} ms`);
    }
    await proxy.accept();
    for (const call of Object.values(all)) await call();
  });

  it('that cuts the connection in the middle of what is sent fails', async () => {
    proxy.fail({ type: 'cut-request' });
    await fails(() => store.put('cut', body, LONG), /connection was cut/);
    proxy.heal();
    assert.equal(await store.head('cut', LONG), undefined);
  });

  it('that cuts the connection in the middle of what is read fails, and never gives half for the whole', async () => {
    await store.put('there', body, LONG);
    proxy.fail({ type: 'cut-answer' }, { only: ['GetObject'] });
    await fails(() => store.get('there', LONG), /connection was cut/);
    await fails(async () => {
      for await (const _ of (await store.read('there', LONG)) ?? []);
    }, /connection was cut/);
  });

  it('that loses its answer fails, and what it did is done', async () => {
    const reserved = await store.put('a', new TextEncoder().encode('reserved'), LONG);
    const upload = await newUpload('a');
    const { etag } = await store.uploadPart(upload, 1, body, LONG);
    const complete = () =>
      store.completeUpload(upload, [{ number: 1, etag }], { ...LONG, ifMatch: reserved.etag });
    proxy.fail({ type: 'lose-answer' }, { only: ['CompleteMultipartUpload'] });
    await fails(complete, /connection was cut/);
    proxy.heal();
    const done = await store.head('a', LONG);
    assert.equal(done?.bytes, MIB);
    // Asked again, a store says that it is done, or that the upload is gone.
    await complete().catch((error: unknown) => assert.ok(error instanceof StorageConflict, String(error)));
    assert.equal((await store.head('a', LONG))?.etag, done.etag);
  });

  it('that is slow ends with its deadline, and in time where that is long enough', async () => {
    await store.put('there', body, LONG);
    proxy.bytesPerSecond = MIB;
    await fails(() => store.put('new', body, { timeoutMs: SHORT_MS }), /no answer within/);
    await fails(() => store.get('there', { timeoutMs: SHORT_MS }), /no answer within/);
    const startedMs = performance.now();
    await store.put('new', body, LONG);
    assert.ok(performance.now() - startedMs > 800);
    // Its deadline is for each silence, not for the whole.
    let read = 0;
    for await (const chunk of (await store.read('there', { timeoutMs: SHORT_MS })) ?? [])
      read += chunk.length;
    assert.equal(read, MIB);
  });

  it('that falls silent in the middle of an answer ends the reading', async () => {
    await store.put('there', body, LONG);
    proxy.bytesPerSecond = 4 * MIB;
    await fails(async () => {
      for await (const _ of (await store.read('there', { timeoutMs: SHORT_MS })) ?? []) {
        proxy.bytesPerSecond = 1;
      }
    }, /no answer within/);
  });
});

describe('A store that cannot delete many at once', () => {
  it('is asked to delete one after the other, from then on without trying', async () => {
    const other = openS3({ bucket: BUCKET, prefix: 'faults', endpoint: proxy.endpoint, pathStyle: true });
    const keys = Array.from({ length: 20 }, (_, index) => `many/${index} & more`);
    proxy.fail({ type: 'status', status: 501, code: 'NotImplemented' }, { only: ['DeleteObjects'] });
    const tried = proxy.count('DeleteObjects');
    for (let round = 0; round < 2; round++) {
      for (const key of keys) await other.put(key, body.subarray(0, 10), LONG);
      await other.delete([...keys, 'many/none'], LONG);
      assert.deepEqual(await other.list('many/', LONG), []);
    }
    assert.equal(proxy.count('DeleteObjects'), tried + 1);
    other.close();
  });
});

describe('Conditions', () => {
  it('are honoured by this store', async () => {
    assert.equal(await honoursConditions(store, { key: 'probe', ...LONG }), true);
    assert.equal(await store.head('probe', LONG), undefined);
  });

  for (const only of [['PutObject'], ['CompleteMultipartUpload']] as const) {
    it(`of ${only} are found out to be ignored, and nothing is left behind`, async () => {
      proxy.fail({ type: 'ignore-conditions' }, { only });
      assert.equal(await honoursConditions(store, { key: 'probe', ...LONG }), false);
      assert.equal(await store.head('probe', LONG), undefined);
      assert.deepEqual(await store.uploads('probe', LONG), []);
    });
  }

  it('are not judged where the store is away', async () => {
    await proxy.refuse();
    await fails(() => honoursConditions(store, { key: 'probe', ...LONG }), /nobody listens|cut/);
  });
});
