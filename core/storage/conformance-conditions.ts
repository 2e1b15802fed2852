import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertBytes,
  conflict,
  createUpload,
  filled,
  joined,
  LONG,
  type Open,
  PART_BYTES,
  sendParts,
  text,
  winners,
} from './conformance-trial.ts';
import type { ObjectStore } from './object-store.ts';

const RIVALS = 12;

export function describeConditions(open: Open): void {
  test('A put where nothing may be writes there once', async (t) => {
    const { store, peer } = await open(t);
    await store.put('a', text('first'), { ...LONG, ifNoneMatch: '*', metadata: { by: 'first' } });
    await assert.rejects(
      peer.put('a', text('second'), { ...LONG, ifNoneMatch: '*', metadata: { by: 'second' } }),
      conflict,
    );
    assertBytes(await store.get('a', LONG), text('first'));
    assert.deepEqual((await store.head('a', LONG))?.metadata, { by: 'first' });
  });

  test('A put over an object writes over that one only', async (t) => {
    const { store, peer } = await open(t);
    const first = await store.put('a', text('first'), { ...LONG, metadata: { by: 'first' } });
    const second = await peer.put('a', text('second'), { ...LONG, ifMatch: first.etag });
    await assert.rejects(
      store.put('a', text('third'), { ...LONG, ifMatch: first.etag, metadata: { by: 'third' } }),
      conflict,
    );
    assertBytes(await store.get('a', LONG), text('second'));
    assert.deepEqual(await store.head('a', LONG).then((info) => [info?.etag, info?.metadata]), [
      second.etag,
      {},
    ]);
  });

  test('A put over an object that is not there is refused, one that was deleted too', async (t) => {
    const { store } = await open(t);
    await assert.rejects(store.put('a', text('x'), { ...LONG, ifMatch: '"0123456789abcdef"' }), conflict);
    const { etag } = await store.put('a', text('first'), LONG);
    await store.delete(['a'], LONG);
    await assert.rejects(store.put('a', text('x'), { ...LONG, ifMatch: etag }), conflict);
    assert.equal(await store.head('a', LONG), undefined);
  });

  test('Of many puts at once where nothing may be, one wins', async (t) => {
    const { store, peer } = await open(t);
    for (let round = 0; round < 5; round++) {
      const key = `folder ${round}/a`;
      const puts = rivals(store, peer).map((rival, index) =>
        rival.put(key, text(`by ${index}`), {
          ...LONG,
          ifNoneMatch: '*',
          metadata: { by: `${index}` },
        }),
      );
      assert.equal(await winners(puts), 1);
      await agrees(store, key);
    }
  });

  test('Of many puts at once over one object, one wins', async (t) => {
    const { store, peer } = await open(t);
    let { etag } = await store.put('a', text('before'), LONG);
    for (let round = 0; round < 10; round++) {
      const puts = rivals(store, peer).map((rival, index) =>
        rival.put('a', text(`by ${index}`.padEnd(round + 10)), {
          ...LONG,
          ifMatch: etag,
          metadata: { by: `${index}` },
        }),
      );
      assert.equal(await winners(puts), 1);
      await agrees(store, 'a');
      etag = (await store.head('a', LONG))?.etag ?? '';
    }
  });

  test('An upload completed where nothing may be is refused where something is', async (t) => {
    const { store } = await open(t);
    const upload = await createUpload(store, 'a');
    const parts = await sendParts(store, upload, [[1, text('upload')]]);
    await store.put('a', text('other'), LONG);
    await assert.rejects(store.completeUpload(upload, parts, { ...LONG, ifNoneMatch: '*' }), conflict);
    assertBytes(await store.get('a', LONG), text('other'));
    await store.delete(['a'], LONG);
    await store.completeUpload(upload, parts, { ...LONG, ifNoneMatch: '*' });
    assertBytes(await store.get('a', LONG), text('upload'));
  });

  test('An upload completed over an object is refused over another, and can be completed still', async (t) => {
    const { store, peer } = await open(t);
    const reserved = await store.put('a', text('reserved'), { ...LONG, ifNoneMatch: '*' });
    const upload = await createUpload(store, 'a', { by: 'upload' });
    const parts = await sendParts(store, upload, [[1, text('upload')]]);
    const other = await peer.put('a', text('other'), LONG);
    await assert.rejects(store.completeUpload(upload, parts, { ...LONG, ifMatch: reserved.etag }), conflict);
    assertBytes(await store.get('a', LONG), text('other'));
    const done = await peer.completeUpload(upload, parts, { ...LONG, ifMatch: other.etag });
    assertBytes(await store.get('a', LONG), text('upload'));
    const info = await store.head('a', LONG);
    assert.deepEqual([info?.etag, info?.metadata], [done.etag, { by: 'upload' }]);
  });

  test('An upload completed over an object that was deleted is refused', async (t) => {
    const { store } = await open(t);
    const reserved = await store.put('a', text('reserved'), { ...LONG, ifNoneMatch: '*' });
    const upload = await createUpload(store, 'a');
    const parts = await sendParts(store, upload, [[1, text('upload')]]);
    await store.delete(['a'], LONG);
    await assert.rejects(store.completeUpload(upload, parts, { ...LONG, ifMatch: reserved.etag }), conflict);
    assert.equal(await store.head('a', LONG), undefined);
  });

  test('Of many uploads completed at once over one object, one wins', async (t) => {
    const { store, peer } = await open(t);
    const { etag } = await store.put('a', text('reserved'), LONG);
    const uploads = await Promise.all(
      rivals(store, peer).map(async (rival, index) => {
        const upload = await createUpload(rival, 'a', { by: `${index}` });
        return { rival, upload, parts: await sendParts(rival, upload, [[1, text(`by ${index}`)]]) };
      }),
    );
    const completed = uploads.map(({ rival, upload, parts }) =>
      rival.completeUpload(upload, parts, { ...LONG, ifMatch: etag }),
    );
    assert.equal(await winners(completed), 1);
    await agrees(store, 'a');
  });

  test('Two that complete one upload at once over one object make it whole, once', async (t) => {
    const { store, peer } = await open(t);
    const { etag } = await store.put('a', text('reserved'), LONG);
    const upload = await createUpload(store, 'a', { by: '1' });
    const body = filled(PART_BYTES, 1);
    const parts = await sendParts(store, upload, [
      [1, body],
      [2, text('end')],
    ]);
    const completed = [store, peer].map((one) =>
      one.completeUpload(upload, parts, { ...LONG, ifMatch: etag }),
    );
    // S3 may say to both that it is done.
    assert.ok((await winners(completed)) >= 1);
    assertBytes(await store.get('a', LONG), joined([body, text('end')]));
    assert.deepEqual((await store.head('a', LONG))?.metadata, { by: '1' });
    assert.deepEqual(await store.uploads('', LONG), []);
  });

  test('Metadata is set on exactly the object that was seen', async (t) => {
    const { store, peer } = await open(t);
    const first = await store.put('a', text('first'), LONG);
    await peer.put('a', text('second'), { ...LONG, metadata: { by: 'second' } });
    await assert.rejects(store.setMetadata('a', { by: 'first' }, { ...LONG, ifMatch: first.etag }), conflict);
    assert.deepEqual((await store.head('a', LONG))?.metadata, { by: 'second' });
    await store.delete(['a'], LONG);
    await assert.rejects(store.setMetadata('a', { by: 'first' }, { ...LONG, ifMatch: first.etag }), conflict);
  });
}

function rivals(store: ObjectStore, peer: ObjectStore): readonly ObjectStore[] {
  return Array.from({ length: RIVALS }, (_, index) => (index % 2 === 0 ? store : peer));
}

/** Content and metadata are of the same writer. */
async function agrees(store: ObjectStore, key: string): Promise<void> {
  const content = Buffer.from((await store.get(key, LONG)) ?? []).toString();
  const by = (await store.head(key, LONG))?.metadata.by;
  assert.equal(content.trimEnd(), `by ${by}`);
}
