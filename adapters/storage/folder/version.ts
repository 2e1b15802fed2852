import type { BigIntStats } from 'node:fs';
import { type FileHandle, lstat } from 'node:fs/promises';
import { MillraceError } from '../../../core/protocol/error.ts';
import { unless } from './failure.ts';

/** What a file says of the object that it is. */
export interface Version {
  readonly etag: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

let lastStampUs = 0;

/**
 * Gives the file a time that no other file of this process has had or will have, so that size and time tell
 * versions of an object apart. File systems keep microseconds and finer, and the kernel's own stamps are
 * several milliseconds apart.
 */
export async function stamp(handle: FileHandle): Promise<void> {
  lastStampUs = Math.max(Date.now() * 1000, lastStampUs + 1);
  await handle.utimes(lastStampUs / 1e6, lastStampUs / 1e6);
}

export function versionOf(stats: BigIntStats): Version {
  return {
    etag: `"${stats.size.toString(16)}-${stats.mtimeNs.toString(16)}"`,
    bytes: Number(stats.size),
    modifiedAtMs: Number(stats.mtimeMs),
  };
}

/**
 * The object at that path; undefined where nothing is, or a folder.
 *
 * @throws MillraceError `name_refused` where something stands there that is neither, such as a symbolic link
 */
export async function versionAt(path: string): Promise<Version | undefined> {
  const stats = await unless(['ENOENT', 'ENOTDIR'], lstat(path, { bigint: true }));
  if (stats === undefined || stats.isDirectory()) return undefined;
  if (!stats.isFile()) {
    throw new MillraceError('name_refused', `${path} is neither a file nor a folder`);
  }
  return versionOf(stats);
}
