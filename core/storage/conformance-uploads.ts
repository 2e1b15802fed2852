import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  assertBytes,
  collected,
  conflict,
  createUpload,
  filled,
  joined,
  keysOf,
  LONG,
  type Open,
  PART_BYTES,
  sendParts,
  text,
} from './conformance-trial.ts';

export function describeUploads(open: Open): void {
  test('Parts become one object in the order of their numbers, the first of them sent last', async (t) => {
    const { store, peer } = await open(t);
    const bodies = [1, 2, 3].map((seed) => filled(PART_BYTES, seed));
    const [one = text(''), two = text(''), three = text('')] = bodies;
    const last = filled(1234, 4);
    const upload = await createUpload(store, 'a/b.webm', { title: 'x' });
    const parts = await sendParts(store, upload, [
      [2, two],
      [3, three],
      [4, last],
      [1, one],
    ]);
    const { etag } = await store.completeUpload(upload, parts, LONG);
    assertBytes(await collected(await peer.read('a/b.webm', LONG)), joined([...bodies, last]));
    const info = await peer.head('a/b.webm', LONG);
    assert.deepEqual(
      [info?.bytes, info?.etag, info?.metadata],
      [3 * PART_BYTES + 1234, etag, { title: 'x' }],
    );
    assert.deepEqual(await store.uploads('', LONG), []);
    assert.deepEqual(await keysOf(store), ['a/b.webm']);
  });

  test('Numbers may have holes, and parts that are not named are dropped', async (t) => {
    const { store } = await open(t);
    const [one, two, dropped] = [filled(PART_BYTES, 1), filled(PART_BYTES, 2), filled(PART_BYTES, 3)];
    const upload = await createUpload(store, 'a');
    const parts = await sendParts(store, upload, [
      [2, one],
      [3, dropped],
      [19, two],
      [20, dropped],
      [10_000, text('end')],
    ]);
    const wanted = parts.filter(({ number }) => ![3, 20].includes(number));
    await store.completeUpload(upload, wanted, LONG);
    assertBytes(await store.get('a', LONG), joined([one, two, text('end')]));
  });

  test('A part sent again replaces the one before', async (t) => {
    const { store } = await open(t);
    const upload = await createUpload(store, 'a');
    const first = filled(PART_BYTES, 1);
    const again = filled(PART_BYTES + 100, 2);
    await sendParts(store, upload, [[1, first]]);
    const last = await sendParts(store, upload, [[2, text('end')]]);
    const parts = await sendParts(store, upload, [[1, again]]);
    await store.completeUpload(upload, [...parts, ...last], LONG);
    assertBytes(await store.get('a', LONG), joined([again, text('end')]));
  });

  test('A part that is not there as it is named completes nothing, and the upload stays', async (t) => {
    const { store } = await open(t);
    const upload = await createUpload(store, 'a');
    const body = filled(PART_BYTES, 2);
    const old = await sendParts(store, upload, [[1, filled(PART_BYTES, 1)]]);
    const parts = await sendParts(store, upload, [[1, body]]);
    await assert.rejects(store.completeUpload(upload, old, LONG), conflict);
    const missing = [...parts, { number: 2, etag: parts[0]?.etag ?? '' }];
    await assert.rejects(store.completeUpload(upload, missing, LONG), conflict);
    assert.equal(await store.head('a', LONG), undefined);
    await store.completeUpload(upload, parts, LONG);
    assertBytes(await store.get('a', LONG), body);
  });

  test('Parts are sent at once, by several processes, and any of them completes', async (t) => {
    const { store, peer } = await open(t);
    const upload = await createUpload(store, 'a');
    const bodies = [1, 2, 3, 4].map((seed) => filled(PART_BYTES, seed));
    const parts = await Promise.all(
      bodies.map(async (body, index) => {
        const sender = index % 2 === 0 ? store : peer;
        return { number: index + 1, etag: (await sender.uploadPart(upload, index + 1, body, LONG)).etag };
      }),
    );
    await peer.completeUpload(upload, parts, LONG);
    assertBytes(await store.get('a', LONG), joined(bodies));
  });

  test('Completing replaces an object that is there', async (t) => {
    const { store } = await open(t);
    await store.put('a', filled(100_000, 1), { ...LONG, metadata: { by: 'put' } });
    const upload = await createUpload(store, 'a', { by: 'upload' });
    await store.completeUpload(upload, await sendParts(store, upload, [[1, text('upload')]]), LONG);
    assertBytes(await store.get('a', LONG), text('upload'));
    assert.deepEqual((await store.head('a', LONG))?.metadata, { by: 'upload' });
  });

  test('Completing again changes nothing', async (t) => {
    const { store, peer } = await open(t);
    const upload = await createUpload(store, 'a');
    const parts = await sendParts(store, upload, [[1, text('upload')]]);
    const { etag } = await store.completeUpload(upload, parts, LONG);
    // S3 may say for a while that it is done, to whoever asks again.
    const again = await peer.completeUpload(upload, parts, LONG).catch((error: unknown) => {
      assert.ok(conflict(error), String(error));
      return { etag };
    });
    assert.equal(again.etag, etag);
    assert.equal((await store.head('a', LONG))?.etag, etag);
  });

  test('An upload that is gone takes no parts and completes nothing, and is aborted already', async (t) => {
    const { store, peer } = await open(t);
    const upload = await createUpload(store, 'a');
    const parts = await sendParts(store, upload, [[1, text('one')]]);
    await peer.abortUpload(upload, LONG);
    await assert.rejects(store.uploadPart(upload, 2, text('two'), LONG), conflict);
    await assert.rejects(store.completeUpload(upload, parts, LONG), conflict);
    await store.abortUpload(upload, LONG);
    const never = { key: 'a', id: upload.id.replaceAll(/[1-9a-f]/gi, '0') };
    await assert.rejects(store.uploadPart(never, 1, text('one'), LONG), conflict);
    await store.abortUpload(never, LONG);
    assert.deepEqual(await store.uploads('', LONG), []);
    assert.equal(await store.head('a', LONG), undefined);
  });

  test('Uploads under way are listed by the beginning of their keys', async (t) => {
    const { store, peer } = await open(t);
    const [a, ab, b] = [
      await createUpload(store, 'a/1'),
      await createUpload(peer, 'a/b/2'),
      await createUpload(store, 'b'),
    ];
    const again = await createUpload(store, 'b');
    const ids = async (prefix: string) =>
      (await peer.uploads(prefix, LONG)).map(({ key, id }) => `${key} ${id}`).sort();
    const expected = (...uploads: (typeof a)[]) => uploads.map(({ key, id }) => `${key} ${id}`).sort();
    assert.deepEqual(await ids(''), expected(a, ab, b, again));
    assert.deepEqual(await ids('a/'), expected(a, ab));
    assert.deepEqual(await ids('a/b'), expected(ab));
    await store.abortUpload(b, LONG);
    assert.deepEqual(await ids('b'), expected(again));
  });
}
