import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { type Disk, LocalDisk } from './disk.ts';
import { simulatedDisk } from './harness/simulated-storage.ts';
import { temporaryFolder } from './harness/trial.ts';
import { Spool } from './spool.ts';

const MIB = 1024 * 1024;
const bytes = (fill: number, length = 10) => Buffer.alloc(length, fill);

function spoolOn(disk: Disk) {
  const errors: unknown[] = [];
  return { spool: new Spool(disk, (error) => errors.push(error)), errors };
}

test('What was written is read, at once and by a later process, until it is deleted', async (t) => {
  const folder = await temporaryFolder(t);
  const { spool, errors } = spoolOn(new LocalDisk(folder));
  const writing = spool.write('a/b/1', bytes(1));
  assert.deepEqual(await spool.read('a/b/1'), bytes(1));
  assert.equal(await writing, true);
  await spool.write('a/2', bytes(2));
  await spool.write('c/3', bytes(3));
  const later = spoolOn(new LocalDisk(folder)).spool;
  assert.deepEqual(await later.list('a/'), ['a/2', 'a/b/1']);
  assert.deepEqual(await later.read('a/b/1'), bytes(1));
  await spool.delete(['a/2', 'never/there']);
  assert.deepEqual(await later.list('a/'), ['a/b/1']);
  await spool.deleteAll('a/');
  assert.deepEqual(await readdir(folder), ['c']);
  assert.deepEqual(errors, []);
});

test('A spool that was never written to is empty', async (t) => {
  const { spool, errors } = spoolOn(new LocalDisk(`${await temporaryFolder(t)}/none`));
  assert.deepEqual(await spool.list('a/'), []);
  assert.equal(await spool.read('a/1'), undefined);
  await spool.deleteAll('a/');
  assert.deepEqual(errors, []);
});

test('What the disk refuses stays in memory, up to a bound, and is freed when it is deleted', async () => {
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  const { spool, errors } = spoolOn({ ...simulatedDisk(), write: () => Promise.reject(full) });
  let kept = 0;
  while (spool.hasRoom) {
    assert.equal(await spool.write(`a/${kept}`, bytes(kept % 256, 5 * MIB)), false);
    kept++;
  }
  assert.ok(kept >= 6 && kept <= 8, `${kept} kept`);
  assert.equal(errors.length, kept);
  assert.deepEqual(await spool.read('a/3'), bytes(3, 5 * MIB));
  await spool.delete(['a/0', 'a/1']);
  assert.equal(spool.hasRoom, true);
});

test('A file is deleted also when its write was still under way', async (t) => {
  const { spool } = spoolOn(new LocalDisk(await temporaryFolder(t)));
  void spool.write('a/1', bytes(1, MIB));
  await spool.delete(['a/1']);
  assert.deepEqual(await spool.list('a/'), []);
});

test('A folder that was deleted meanwhile is made again', async (t) => {
  const disk = new LocalDisk(await temporaryFolder(t));
  const { spool } = spoolOn(disk);
  await spool.write('a/1', bytes(1));
  await new Spool(disk, () => {}).deleteAll('a/');
  assert.equal(await spool.write('a/2', bytes(2)), true);
  assert.deepEqual(await spool.list('a/'), ['a/2']);
});
