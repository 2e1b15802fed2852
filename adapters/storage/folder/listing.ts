import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compareKeys } from '../../../core/storage/object-key.ts';
import type { ListedObject } from '../../../core/storage/object-store.ts';
import { unless } from './failure.ts';
import type { Place } from './place.ts';
import { versionOf } from './version.ts';

const PAGE = 1000;
const STATS_AT_ONCE = 32;
/** The store's own folder. */
const HIDDEN = '.millrace/.store/';

/** Keys below `prefix` and behind `after`, in their order; folders that can have none are not entered. */
export async function listObjects(
  place: Place,
  prefix: string,
  after: string | undefined,
): Promise<readonly ListedObject[]> {
  const root = await place.open();
  const objects: ListedObject[] = [];
  let keys: string[] = [];
  const lookAtKeys = async () => {
    const found = await Promise.all(keys.map((key) => objectAt(root, key)));
    objects.push(...found.filter((object) => object !== undefined));
    keys = [];
  };
  for await (const key of keysBelow(root, '', prefix, after)) {
    keys.push(key);
    if (keys.length >= Math.min(STATS_AT_ONCE, PAGE - objects.length)) await lookAtKeys();
    if (objects.length >= PAGE) return objects;
  }
  await lookAtKeys();
  return objects;
}

/** @param folder '' or the beginning of its keys, with a slash at the end */
async function* keysBelow(
  root: string,
  folder: string,
  prefix: string,
  after: string | undefined,
): AsyncGenerator<string, void> {
  const entries = await unless(['ENOENT', 'ENOTDIR'], readdir(join(root, folder), { withFileTypes: true }));
  if (entries === undefined) return;
  const keys = entries
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
    .filter((key) => key !== HIDDEN && (key.startsWith(prefix) || prefix.startsWith(key)));
  for (const key of keys.sort(compareKeys)) {
    const behind = after === undefined || compareKeys(key, after) > 0;
    if (!key.endsWith('/')) {
      if (behind && key.startsWith(prefix)) yield key;
    } else if (behind || after.startsWith(key)) yield* keysBelow(root, key, prefix, after);
  }
}

async function objectAt(root: string, key: string): Promise<ListedObject | undefined> {
  const stats = await unless(['ENOENT', 'ENOTDIR'], lstat(join(root, key), { bigint: true }));
  if (!stats?.isFile()) return undefined;
  const { bytes, modifiedAtMs } = versionOf(stats);
  return { key, bytes, modifiedAtMs };
}
