import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { MillraceError } from '../../core/protocol/error.ts';
import { FolderActor } from '../harness/folder-actors.ts';

const LONG = { timeoutMs: 20_000 };
const MIB = 1024 ** 2;
const PART = 5 * MIB;
/** Any user that is not root. */
const NOBODY = 65_534;

function home(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-faults-'));
  chmodSync(path, 0o755);
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function actor(t: TestContext, root: string, options: Parameters<typeof FolderActor.start>[1]) {
  const started = await FolderActor.start(root, options);
  t.after(() => started.stop());
  return started;
}

/** A disk of that size, seen by the actor alone. */
function onDisk(t: TestContext, options: string): Promise<FolderActor> {
  const path = home(t);
  return actor(t, join(path, 'recordings'), { first: `mount -t tmpfs -o ${options} tmpfs ${path}` });
}

async function fails(call: Promise<unknown>, message: RegExp): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof MillraceError, String(error));
    assert.equal(error.errorName, 'storage_unavailable');
    assert.match(error.message, message);
    return true;
  });
}

const FULL = /its disk is full \(ENOSPC\); make room there, or choose another place/;
const body = (bytes: number, fill: number) => new Uint8Array(bytes).fill(fill);

describe('A folder whose disk is full', () => {
  it('says so, keeps what it had, and goes on when there is room again', async (t) => {
    const disk = await onDisk(t, 'size=16m');
    const first = await disk.call('put', 'a', body(6 * MIB, 1), { ...LONG, metadata: { by: 'first' } });
    await disk.call('put', 'filler', body(6 * MIB, 2), LONG);
    const second = () => disk.call('put', 'a', body(6 * MIB, 3), { ...LONG, ifMatch: first.etag });
    await fails(second(), FULL);
    const info = await disk.call('head', 'a', LONG);
    assert.deepEqual([info?.etag, info?.metadata], [first.etag, { by: 'first' }]);
    // Nothing is left of the attempt: there is as much room as before.
    await disk.call('put', 'b', body(3 * MIB, 4), LONG);
    await disk.call('delete', ['filler', 'b'], LONG);
    await second();
    assert.equal((await disk.call('head', 'a', LONG))?.bytes, 6 * MIB);
  });

  it('takes a part that it had no room for when that is sent again, and completes in its place', async (t) => {
    // Too small for the parts and a copy of them.
    const disk = await onDisk(t, 'size=28m');
    await disk.call('put', 'filler', body(14 * MIB, 1), LONG);
    const upload = await disk.call('createUpload', 'a', { ...LONG, metadata: {}, contentType: 'video/webm' });
    const send = async (number: number) => ({
      number,
      ...(await disk.call('uploadPart', upload, number, body(PART, number), LONG)),
    });
    const parts = [await send(2), await send(3)];
    await fails(send(4), FULL);
    await disk.call('delete', ['filler'], LONG);
    parts.push(await send(4), await send(1));
    await disk.call('completeUpload', upload, parts, LONG);
    const content = Buffer.from((await disk.call('get', 'a', LONG)) ?? []);
    assert.equal(content.length, 4 * PART);
    for (const number of [1, 2, 3, 4]) {
      const part = content.subarray((number - 1) * PART, number * PART);
      assert.ok(part.every((byte) => byte === number));
    }
  });
});

describe('A folder', () => {
  const every: readonly ((store: FolderActor) => Promise<unknown>)[] = [
    (store) => store.call('put', 'a', body(10, 1), LONG),
    (store) => store.call('createUpload', 'a', { ...LONG, metadata: {}, contentType: 'video/webm' }),
    (store) => store.call('list', '', LONG),
    (store) => store.call('head', 'a', LONG),
  ];

  it('on a file system that is read-only says so', async (t) => {
    const disk = await onDisk(t, 'ro');
    for (const call of every) await fails(call(disk), /its file system is read-only \(EROFS\); mount it/);
  });

  it('that this user may not write says so', async (t) => {
    const path = home(t);
    const root = join(path, 'recordings');
    mkdirSync(root, { mode: 0o755 });
    const other = await actor(t, root, { uid: NOBODY });
    for (const call of every) {
      await fails(call(other), /this user may not write and read there \(EACCES\); let it/);
    }
  });

  it('that cannot be made, because a file is in its place, says so', async (t) => {
    const disk = await actor(t, '/dev/null', {});
    for (const call of every)
      await fails(call(disk), /a file stands where a folder is needed \(ENOTDIR\); move it away/);
  });
});
