import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { MillraceError } from '../../../core/protocol/error.ts';
import { type ObjectStore, StorageConflict, type Upload } from '../../../core/storage/object-store.ts';
import { openFolder } from './folder.ts';

const LONG = { timeoutMs: 20_000 };
const DAY_MS = 86_400_000;
const PART = 5 * 1024 ** 2;
const text = (content: string) => new TextEncoder().encode(content);
const named = (name: string) => (error: unknown) =>
  error instanceof MillraceError && error.errorName === name;

function folder(t: TestContext) {
  const home = mkdtempSync(join(tmpdir(), 'millrace-files-'));
  const root = join(home, 'recordings');
  const stores: ObjectStore[] = [];
  t.after(() => {
    for (const store of stores) store.close();
    rmSync(home, { recursive: true, force: true });
  });
  const open = () => {
    const store = openFolder(root);
    stores.push(store);
    return store;
  };
  return { home, root, open, store: open(), own: (path: string) => join(root, '.millrace/.store', path) };
}

async function upload(store: ObjectStore, key: string, sizes: Readonly<Record<number, number>>) {
  const target = await store.createUpload(key, { ...LONG, metadata: {}, contentType: 'video/webm' });
  return { target, parts: await send(store, target, sizes) };
}

async function send(store: ObjectStore, target: Upload, sizes: Readonly<Record<number, number>>) {
  const numbers = Object.keys(sizes).map(Number);
  // Part 1 last, as a recorder sends it.
  const ordered = [...numbers.filter((number) => number !== 1), ...numbers.filter((number) => number === 1)];
  const parts = [];
  for (const number of ordered) {
    const body = new Uint8Array(sizes[number] ?? 0).fill(number);
    parts.push({ number, ...(await store.uploadPart(target, number, body, LONG)) });
  }
  return parts;
}

function segmentsOf(own: (path: string) => string, target: Upload): readonly string[] {
  return readdirSync(own(`uploads/${target.id}`)).filter((name) => name.startsWith('segment-'));
}

function content(path: string): string {
  const bytes = readFileSync(path);
  const runs: string[] = [];
  for (let from = 0; from < bytes.length; ) {
    const byte = bytes[from];
    let to = from;
    while (to < bytes.length && bytes[to] === byte) to++;
    runs.push(`${to - from} x ${byte}`);
    from = to;
  }
  return runs.join(', ');
}

describe('A folder', () => {
  it('is made when something is first asked of it, and an object is a file at its key', async (t) => {
    const { root, store } = folder(t);
    assert.equal(existsSync(root), false);
    await store.put('live/a.webm', text('content'), { ...LONG, metadata: { a: 'b' } });
    assert.equal(readFileSync(join(root, 'live/a.webm'), 'utf8'), 'content');
    assert.deepEqual(readdirSync(root).sort(), ['.millrace', 'live']);
  });

  it('keeps nothing of an object that was deleted, and no folder that is empty', async (t) => {
    const { root, store, own } = folder(t);
    await store.put('live/x/a.webm', text('content'), { ...LONG, metadata: { a: 'b' } });
    await store.delete(['live/x/a.webm'], LONG);
    assert.deepEqual(readdirSync(root), ['.millrace']);
    for (const area of ['drafts', 'claims', 'metadata', 'uploads'])
      assert.deepEqual(readdirSync(own(area)), []);
  });

  it('takes a file that a person put there for an object without metadata', async (t) => {
    const { root, store } = folder(t);
    await store.put('a', text('a'), { ...LONG, metadata: { a: 'b' } });
    writeFileSync(join(root, 'a'), 'by hand');
    writeFileSync(join(root, 'b'), 'by hand');
    for (const key of ['a', 'b']) {
      const info = await store.head(key, LONG);
      assert.deepEqual([info?.bytes, info?.metadata], [7, {}]);
    }
  });

  it('keeps metadata with the content and the time of a file: a copy that keeps both keeps it too', async (t) => {
    const { root, store } = folder(t);
    await store.put('a', text('a'), { ...LONG, metadata: { a: 'b' } });
    const { mtimeMs } = statSync(join(root, 'a'));
    writeFileSync(join(root, 'copy'), 'a');
    utimesSync(join(root, 'copy'), mtimeMs / 1000, mtimeMs / 1000);
    renameSync(join(root, 'copy'), join(root, 'a'));
    assert.deepEqual((await store.head('a', LONG))?.metadata, { a: 'b' });
  });

  it('refuses where a file stands in place of a folder, or a folder in place of a file', async (t) => {
    const { store } = folder(t);
    await store.put('a/b', text('x'), LONG);
    for (const key of ['a', 'a/b/c', 'a/b/c/d']) {
      await assert.rejects(store.put(key, text('x'), LONG), StorageConflict, key);
      const { target, parts } = await upload(store, key, { 1: 1 });
      await assert.rejects(store.completeUpload(target, parts, LONG), StorageConflict, key);
    }
    assert.deepEqual(
      (await store.list('', LONG)).map(({ key }) => key),
      ['a/b'],
    );
  });

  it('lets no key lead out by a symbolic link, and none to what is its own', async (t) => {
    const { home, root, store } = folder(t);
    await store.put('a', text('x'), LONG);
    mkdirSync(join(home, 'outside'));
    writeFileSync(join(home, 'outside/secret'), 'secret');
    symlinkSync(join(home, 'outside'), join(root, 'out'));
    symlinkSync(join(home, 'outside/secret'), join(root, 'link'));
    for (const key of ['out/secret', 'out/new', 'link', '.millrace/.store', '.millrace/.store/drafts/x']) {
      await assert.rejects(store.put(key, text('x'), LONG), named('name_refused'), key);
      await assert.rejects(store.get(key, LONG), named('name_refused'), key);
      await assert.rejects(store.read(key, LONG), named('name_refused'), key);
      await assert.rejects(store.head(key, LONG), named('name_refused'), key);
      await assert.rejects(store.delete([key], LONG), named('name_refused'), key);
    }
    assert.equal(readFileSync(join(home, 'outside/secret'), 'utf8'), 'secret');
    assert.deepEqual(readdirSync(join(home, 'outside')), ['secret']);
    assert.deepEqual(
      (await store.list('', LONG)).map(({ key }) => key),
      ['a'],
    );
    assert.deepEqual(await store.list('out/', LONG), []);
  });

  it('may be a symbolic link itself', async (t) => {
    const { home, root, store } = folder(t);
    mkdirSync(join(home, 'elsewhere'));
    symlinkSync(join(home, 'elsewhere'), root);
    await store.put('a/b', text('x'), LONG);
    assert.equal(readFileSync(join(home, 'elsewhere/a/b'), 'utf8'), 'x');
  });

  it('is not made anew where it was taken away while it is in use', async (t) => {
    const { root, store } = folder(t);
    await store.put('a', text('x'), LONG);
    rmSync(root, { recursive: true });
    await assert.rejects(store.put('b', text('x'), LONG), (error: Error) => {
      assert.ok(named('storage_unavailable')(error), String(error));
      assert.match(error.message, /the folder is gone \(ENOENT\); put it back, or mount its disk/);
      return true;
    });
    assert.equal(existsSync(root), false);
  });

  it('is rid of what dead processes left a day ago, and of nothing else', async (t) => {
    const { store, own, open } = folder(t);
    const { target } = await upload(store, 'a', { 1: 10 });
    mkdirSync(own('uploads/new-0123'));
    mkdirSync(own(`uploads/${'0'.repeat(32)}`));
    for (const name of ['old', 'new']) writeFileSync(own(`drafts/${name}`), 'x');
    const old = (Date.now() - 1.1 * DAY_MS) / 1000;
    for (const path of [
      'drafts/old',
      'uploads/new-0123',
      `uploads/${'0'.repeat(32)}`,
      `uploads/${target.id}`,
    ]) {
      utimesSync(own(path), old, old);
    }
    assert.deepEqual(await open().uploads('', LONG), [target]);
    assert.deepEqual(readdirSync(own('drafts')), ['new']);
    assert.deepEqual(readdirSync(own('uploads')), [target.id]);
  });
});

describe('An upload in a folder', () => {
  const sizes = { 1: PART, 2: PART, 3: PART, 4: 100 };

  it('is completed without copying where its parts stand in their order, whatever room was left for the first', async (t) => {
    const { root, store, own } = folder(t);
    const { target, parts } = await upload(store, 'a', sizes);
    const [segment = '', ...more] = segmentsOf(own, target);
    assert.deepEqual(more, []);
    const { ino } = statSync(own(`uploads/${target.id}/${segment}`));
    await store.completeUpload(target, parts, LONG);
    assert.equal(statSync(join(root, 'a')).ino, ino);
    assert.equal(content(join(root, 'a')), `${PART} x 1, ${PART} x 2, ${PART} x 3, 100 x 4`);
    assert.deepEqual(readdirSync(own('uploads')), []);
  });

  it('is completed without copying though parts were sent at once and one behind the last is not named', async (t) => {
    const { root, store, own } = folder(t);
    const target = await store.createUpload('a', { ...LONG, metadata: {}, contentType: 'video/webm' });
    const parts = await Promise.all(
      [2, 3, 4, 5, 1].map(async (number) => {
        const body = new Uint8Array(PART).fill(number);
        return { number, ...(await store.uploadPart(target, number, body, LONG)) };
      }),
    );
    const [segment = ''] = segmentsOf(own, target);
    const { ino } = statSync(own(`uploads/${target.id}/${segment}`));
    await store.completeUpload(
      target,
      parts.filter(({ number }) => number !== 5),
      LONG,
    );
    assert.equal(statSync(join(root, 'a')).ino, ino);
    assert.equal(content(join(root, 'a')), [1, 2, 3, 4].map((byte) => `${PART} x ${byte}`).join(', '));
  });

  for (const [what, room] of [
    ['larger', PART + 1],
    ['smaller', PART - 1],
  ] as const) {
    it(`is joined where the first part is ${what} than the room for it`, async (t) => {
      const { root, store } = folder(t);
      const { target, parts } = await upload(store, 'a', { 1: room, 2: PART, 3: 1 });
      await store.completeUpload(target, parts, LONG);
      assert.equal(content(join(root, 'a')), `${room} x 1, ${PART} x 2, 1 x 3`);
    });
  }

  it('is joined by another process, and what its first one writes later is not in the object', async (t) => {
    const { root, store, own, open: openStore } = folder(t);
    const { target, parts } = await upload(store, 'a', sizes);
    const [segment = ''] = segmentsOf(own, target);
    const late = await open(own(`uploads/${target.id}/${segment}`), 'r+');
    await openStore().completeUpload(target, parts, LONG);
    await late.write(new Uint8Array(PART).fill(9), 0, PART, 0);
    await late.write(new Uint8Array(PART).fill(9), 0, PART, 4 * PART);
    await late.close();
    assert.equal(content(join(root, 'a')), `${PART} x 1, ${PART} x 2, ${PART} x 3, 100 x 4`);
  });

  it('refused by its condition takes more parts, and is completed with them', async (t) => {
    const { root, store } = folder(t);
    await store.put('a', text('other'), LONG);
    const { target, parts } = await upload(store, 'a', { 2: PART, 1: PART });
    await assert.rejects(store.completeUpload(target, parts, { ...LONG, ifNoneMatch: '*' }), StorageConflict);
    const more = await send(store, target, { 3: 7 });
    await store.completeUpload(target, [...parts, ...more], LONG);
    assert.equal(content(join(root, 'a')), `${PART} x 1, ${PART} x 2, 7 x 3`);
  });

  it('goes on to its end though the deadline is over, and who asks again meanwhile waits for the same', async (t) => {
    const { root, store, open: openStore } = folder(t);
    const { target, parts } = await upload(store, 'a', { 1: PART, 2: PART, 3: PART, 4: PART });
    const finisher = openStore();
    await assert.rejects(
      finisher.completeUpload(target, parts, { timeoutMs: 1 }),
      named('storage_unavailable'),
    );
    const { etag } = await finisher.completeUpload(target, parts, LONG);
    assert.equal((await store.head('a', LONG))?.etag, etag);
    assert.equal(statSync(join(root, 'a')).size, 4 * PART);
  });
});
