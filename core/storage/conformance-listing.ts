import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createUpload, keysOf, LONG, type Open, sendParts, text } from './conformance-trial.ts';

const PAGE = 1000;

export function describeListing(open: Open): void {
  test('A list has every object below a prefix, with its size and its time', async (t) => {
    const { store, peer } = await open(t);
    for (const key of ['a/1', 'a/2/3', 'ab', 'b']) await store.put(key, text(key), LONG);
    assert.deepEqual(await keysOf(peer), ['a/1', 'a/2/3', 'ab', 'b']);
    assert.deepEqual(await keysOf(peer, 'a/'), ['a/1', 'a/2/3']);
    assert.deepEqual(await keysOf(peer, 'a'), ['a/1', 'a/2/3', 'ab']);
    assert.deepEqual(await keysOf(peer, 'a/2'), ['a/2/3']);
    assert.deepEqual(await keysOf(peer, 'none'), []);
    assert.deepEqual(await keysOf(peer, 'none/none/'), []);
    const [first] = await peer.list('a/', LONG);
    const info = await peer.head('a/1', LONG);
    assert.equal(first?.bytes, 3);
    assert.ok(Math.abs((first?.modifiedAtMs ?? 0) - (info?.modifiedAtMs ?? 0)) < 1001);
  });

  test('A list is in the order of the keys’ bytes, slashes among them', async (t) => {
    const { store } = await open(t);
    // By code units the last two are the other way round; by folders 'a.b' would stand behind 'a/…'.
    const keys = ['a!/1', 'a.b', 'a/1', 'a/10', 'a/9', 'a/b/1', 'a/b1', 'a0', 'b', 'ﬀ', '😀'];
    for (const key of keys.toReversed()) await store.put(key, text(key), LONG);
    assert.deepEqual(await keysOf(store), keys);
  });

  test('A list goes on behind a key, whether that is there or not', async (t) => {
    const { store } = await open(t);
    const keys = ['a.b', 'a/1', 'a/b/1', 'a/b/2', 'a/b1', 'a0'];
    for (const key of keys) await store.put(key, text(key), LONG);
    for (const [index, key] of keys.entries()) {
      assert.deepEqual(await keysOf(store, '', key), keys.slice(index + 1));
    }
    assert.deepEqual(await keysOf(store, '', 'a/a'), ['a/b/1', 'a/b/2', 'a/b1', 'a0']);
    assert.deepEqual(await keysOf(store, 'a/', 'a/b'), ['a/b/1', 'a/b/2', 'a/b1']);
    assert.deepEqual(await keysOf(store, 'a/', 'b'), []);
    assert.deepEqual(await keysOf(store, 'a/', '0'), ['a/1', 'a/b/1', 'a/b/2', 'a/b1']);
  });

  test(`A list has at most ${PAGE} objects; the next is behind its last, and so all are seen once`, async (t) => {
    const { store } = await open(t);
    const keys = Array.from(
      { length: PAGE + 5 },
      (_, index) => `d/${index % 7}/${String(index).padStart(5, '0')}`,
    );
    for (let from = 0; from < keys.length; from += 50) {
      await Promise.all(keys.slice(from, from + 50).map((key) => store.put(key, text('x'), LONG)));
    }
    const first = await keysOf(store, 'd/');
    assert.equal(first.length, PAGE);
    assert.deepEqual([...first, ...(await keysOf(store, 'd/', first.at(-1)))], keys.toSorted());
    await store.delete(keys, LONG);
    assert.deepEqual(await keysOf(store), []);
  });

  test('What an upload has brought so far is in no list', async (t) => {
    const { store, peer } = await open(t);
    const upload = await createUpload(store, 'a/b');
    await sendParts(store, upload, [[1, text('one')]]);
    assert.deepEqual(await keysOf(peer), []);
    assert.equal(await peer.head('a/b', LONG), undefined);
  });
}
