import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeConditions } from './conformance-conditions.ts';
import { describeListing } from './conformance-listing.ts';
import {
  assertBytes,
  collected,
  createUpload,
  filled,
  keysOf,
  LONG,
  type MakeStore,
  named,
  type Open,
  openTrial,
  text,
} from './conformance-trial.ts';
import { describeUploads } from './conformance-uploads.ts';
import type { ObjectStore } from './object-store.ts';

/** The rules of `ObjectStore`, one sentence each, for any adapter of it. */
export function describeObjectStore(name: string, makeStore: MakeStore): void {
  const open: Open = (context) => openTrial(context, makeStore);

  describe(name, () => {
    describeObjects(open);
    describeRanges(open);
    describeMetadata(open);
    describeListing(open);
    describeConditions(open);
    describeUploads(open);
    describeRefusals(open);
  });
}

/** What people and programs put into names. */
const ODD_KEYS = [
  'live/街头 📹/café é.webm',
  "a b+c%20d&e=f?g#h;i,j:k@l$m!n'o(p)q*r~s",
  '%2e%2e/%2F',
  '-rf',
  'a/.hidden/..b/c...',
  'back\\slash "quoted" <tag> `tick` {brace} |pipe| ^caret',
  '.millrace/0123456789abcdef0123456789abcdef/0/65536/0.tail',
];

function describeObjects(open: Open): void {
  test('An object is read back as it was put, by another process too', async (t) => {
    const { store, peer } = await open(t);
    const body = filled(100_000, 1);
    const { etag } = await store.put('a/b.webm', body, LONG);
    for (const reader of [store, peer]) {
      assertBytes(await reader.get('a/b.webm', LONG), body);
      assertBytes(await collected(await reader.read('a/b.webm', LONG)), body);
      const info = await reader.head('a/b.webm', LONG);
      assert.equal(info?.bytes, body.length);
      assert.equal(info.etag, etag);
      assert.deepEqual(info.metadata, {});
    }
  });

  test('What is not there is undefined, whichever way it is asked for', async (t) => {
    const { store } = await open(t);
    await store.put('a/b', text('there'), LONG);
    for (const key of ['none', 'a', 'a/none', 'none/none']) {
      assert.equal(await store.head(key, LONG), undefined);
      assert.equal(await store.get(key, LONG), undefined);
      assert.equal(await store.read(key, LONG), undefined);
    }
  });

  test('An empty object is an object', async (t) => {
    const { store } = await open(t);
    await store.put('empty', text(''), LONG);
    assert.equal((await store.head('empty', LONG))?.bytes, 0);
    assertBytes(await store.get('empty', LONG), text(''));
    assertBytes(await collected(await store.read('empty', LONG)), text(''));
  });

  test('A put replaces the object whole, with its metadata', async (t) => {
    const { store, peer } = await open(t);
    await store.put('a', text('a long content'), { ...LONG, metadata: { one: '1', two: '2' } });
    await peer.put('a', text('short'), { ...LONG, metadata: { three: '3' } });
    assertBytes(await store.get('a', LONG), text('short'));
    assert.deepEqual((await store.head('a', LONG))?.metadata, { three: '3' });
    await peer.put('a', text('shorter still'), LONG);
    assert.deepEqual((await store.head('a', LONG))?.metadata, {});
  });

  test('Another content has another ETag', async (t) => {
    const { store } = await open(t);
    const first = await store.put('a', text('one'), LONG);
    const second = await store.put('a', text('two'), LONG);
    assert.notEqual(first.etag, second.etag);
    assert.equal((await store.head('a', LONG))?.etag, second.etag);
  });

  test('The time of an object is that of its last change', async (t) => {
    const { store } = await open(t);
    const beforeMs = Date.now();
    await store.put('a', text('one'), LONG);
    const { modifiedAtMs = 0 } = (await store.head('a', LONG)) ?? {};
    // A whole second, as HTTP dates have it.
    assert.ok(modifiedAtMs > beforeMs - 1001 && modifiedAtMs < Date.now() + 1000, `${modifiedAtMs}`);
  });

  for (const key of [...ODD_KEYS, `${'d/'.repeat(390)}${'é'.repeat(100)}`]) {
    test(`A key may be ${key.length > 100 ? 'long' : `"${key}"`}`, async (t) => {
      const { store, peer } = await open(t);
      const { etag } = await store.put(key, text(key), { ...LONG, metadata: { name: 'x' } });
      assertBytes(await peer.get(key, LONG), text(key));
      assert.equal((await peer.head(key, LONG))?.etag, etag);
      assert.deepEqual(await keysOf(peer), [key]);
      assert.deepEqual(await keysOf(peer, key), [key]);
      await store.put(key, text('again'), { ...LONG, ifMatch: etag });
      await peer.delete([key], LONG);
      assert.equal(await store.head(key, LONG), undefined);
    });
  }

  test('Deleting takes what is named and nothing else, and what is not there is deleted already', async (t) => {
    const { store, peer } = await open(t);
    for (const key of ['a/1', 'a/2', 'a/23', 'b']) await store.put(key, text(key), LONG);
    await store.delete(['a/1', 'a/2', 'none', 'a/none/none'], LONG);
    assert.deepEqual(await keysOf(peer), ['a/23', 'b']);
    await peer.delete(['a/1'], LONG);
    await peer.delete([], LONG);
    assert.deepEqual(await keysOf(store), ['a/23', 'b']);
  });

  test('A key that was deleted can be put again, below it and beside it too', async (t) => {
    const { store } = await open(t);
    await store.put('a/b/c', text('one'), { ...LONG, metadata: { x: '1' } });
    await store.delete(['a/b/c'], LONG);
    await store.put('a/b', text('two'), { ...LONG, ifNoneMatch: '*' });
    await store.delete(['a/b'], LONG);
    await store.put('a/b/c', text('three'), { ...LONG, ifNoneMatch: '*' });
    assert.deepEqual((await store.head('a/b/c', LONG))?.metadata, {});
    assert.deepEqual(await keysOf(store), ['a/b/c']);
  });
}

function describeRanges(open: Open): void {
  const body = filled(3_000_000, 2);
  const ranges = [
    { range: { from: 0 }, is: body },
    { range: { from: 0, to: 1 }, is: body.subarray(0, 1) },
    { range: { from: 1_000_000, to: 2_500_000 }, is: body.subarray(1_000_000, 2_500_000) },
    { range: { from: 2_999_999 }, is: body.subarray(2_999_999) },
    { range: { from: 2_999_000, to: 4_000_000 }, is: body.subarray(2_999_000) },
    { range: { from: 3_000_000 }, is: text('') },
    { range: { from: 4_000_000, to: 5_000_000 }, is: text('') },
    { range: { from: 7, to: 7 }, is: text('') },
  ];

  test('A range is from its first byte to before its last, and ends where the object ends', async (t) => {
    const { store } = await open(t);
    await store.put('a', body, LONG);
    for (const { range, is } of ranges) {
      assertBytes(await store.get('a', { ...LONG, range }), is);
      assertBytes(await collected(await store.read('a', { ...LONG, range })), is);
    }
    assert.equal(await store.get('none', { ...LONG, range: { from: 7, to: 7 } }), undefined);
  });

  test('Reading may be left off in the middle', async (t) => {
    const { store } = await open(t);
    await store.put('a', body, LONG);
    for (let round = 0; round < 60; round++) {
      for await (const chunk of (await store.read('a', LONG)) ?? []) {
        assert.ok(chunk.length > 0);
        break;
      }
    }
    assertBytes(await store.get('a', LONG), body);
  });
}

function describeMetadata(open: Open): void {
  const metadata = {
    'millrace-recording': '0123456789abcdef',
    json: '[{"from":1.5,"to":"x"},{}]',
    words: 'a b, c; d = "e" \'f\' (g) <h> ~!@#$%^&*|\\/',
    long: 'x'.repeat(1800),
  };

  test('Metadata is kept as it was given', async (t) => {
    const { store, peer } = await open(t);
    await store.put('a', text('one'), { ...LONG, metadata });
    assert.deepEqual((await peer.head('a', LONG))?.metadata, metadata);
  });

  test('Metadata of a finished object is replaced whole, and its content stays', async (t) => {
    const { store, peer } = await open(t);
    const { etag } = await store.put('a', text('one'), { ...LONG, metadata: { old: '1' } });
    assert.equal(await peer.setMetadata('a', metadata, { ...LONG, ifMatch: etag }), true);
    assert.deepEqual((await store.head('a', LONG))?.metadata, metadata);
    assertBytes(await store.get('a', LONG), text('one'));
  });

  test('Metadata is set again with the ETag that the object has then', async (t) => {
    const { store } = await open(t);
    await store.put('a', text('one'), LONG);
    for (const round of ['1', '2', '3']) {
      const { etag = '' } = (await store.head('a', LONG)) ?? {};
      assert.equal(await store.setMetadata('a', { round }, { ...LONG, ifMatch: etag }), true);
      assert.deepEqual((await store.head('a', LONG))?.metadata, { round });
    }
  });
}

function describeRefusals(open: Open): void {
  const unsafe = ['', '/', '/a', 'a/', 'a//b', '.', '..', 'a/../b', '../a', './a', 'a/.', 'a\0b', 'a\nb'];
  const tooLong = ['x'.repeat(256), `${'a/'.repeat(512)}b`, '\ud800'];

  test('A key that could lead out of the store is refused, whatever is to be done with it', async (t) => {
    const { store } = await open(t);
    for (const key of [...unsafe, ...tooLong]) {
      for (const call of callsWith(store, key)) await assert.rejects(call, named('name_refused'), key);
    }
    assert.deepEqual(await keysOf(store), []);
  });

  test('A closed store refuses every call with "storage_unavailable", and closes again quietly', async (t) => {
    const { store } = await open(t);
    const upload = await createUpload(store, 'b');
    store.close();
    store.close();
    const calls = [
      ...callsWith(store, 'a'),
      () => store.list('', LONG),
      () => store.uploads('', LONG),
      () => store.uploadPart(upload, 1, text('x'), LONG),
      () => store.completeUpload(upload, [], LONG),
      () => store.abortUpload(upload, LONG),
    ];
    for (const call of calls) await assert.rejects(call, named('storage_unavailable'), String(call));
  });

  test('An address to read by is good for anyone, or there is none', async (t) => {
    const { store } = await open(t);
    const body = filled(10_000, 3);
    await store.put('a b/ü.webm', body, { ...LONG, contentType: 'video/webm' });
    const address = await store.presign('a b/ü.webm', 60);
    if (address === undefined) return;
    const answer = await fetch(address, { headers: { range: 'bytes=100-199' } });
    assert.equal(answer.status, 206);
    assert.equal(answer.headers.get('content-type'), 'video/webm');
    assertBytes(await answer.bytes(), body.subarray(100, 200));
  });

  test('Where it is can be told to anyone', async (t) => {
    const { store } = await open(t);
    assert.match(store.location, /\S/);
    assert.doesNotMatch(store.location, /secret|password/i);
  });
}

function callsWith(store: ObjectStore, key: string): readonly (() => Promise<unknown>)[] {
  return [
    () => store.put(key, text('x'), LONG),
    () => store.head(key, LONG),
    () => store.get(key, LONG),
    () => store.read(key, LONG),
    () => store.delete([key], LONG),
    () => store.setMetadata(key, {}, { ...LONG, ifMatch: '"x"' }),
    () => createUpload(store, key),
    () => store.presign(key, 60),
  ];
}
