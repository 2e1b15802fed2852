import { MillraceError } from '../../../core/protocol/error.ts';
import { StorageConflict } from '../../../core/storage/object-store.ts';
import { StorageUnavailable } from '../../../core/storage/storage-unavailable.ts';

/** By code: what is wrong and what to do. */
const REASONS: Readonly<Record<string, readonly [why: string, fix: string]>> = {
  ENOSPC: ['its disk is full', 'make room there, or choose another place'],
  EDQUOT: ['the quota of this user is used up', 'make room there, or have it raised'],
  EACCES: ['this user may not write and read there', 'let it (chown, chmod), or choose another place'],
  EPERM: ['this user may not do that there', 'let it (chown, chmod), or choose another place'],
  EROFS: ['its file system is read-only', 'mount it for writing, or choose another place'],
  ENOENT: ['the folder is gone', 'put it back, or mount its disk'],
  ENOTDIR: ['a file stands where a folder is needed', 'move it away, or choose another place'],
  EIO: ['its disk fails', 'look into the kernel’s log'],
  EMFILE: ['this process has too many files open', 'raise its limit (ulimit -n)'],
  ENFILE: ['this machine has too many files open', 'raise its limit (fs.file-max)'],
  ESTALE: ['its file server has forgotten it', 'mount it again'],
  EXDEV: ['a part of it is on another file system', 'keep all of it on one'],
  EFBIG: ['its file system takes no file of that size', 'choose another place'],
};
const NO_LINKS = [
  'its file system has no hard or symbolic links',
  'choose another place: ext4, XFS, btrfs and NFS have them',
] as const;

/** The error as callers know it. @param doing such as `write a/b.webm` */
export function failure(error: unknown, location: string, doing: string): Error {
  if (error instanceof MillraceError || error instanceof StorageConflict) return error;
  const { code = '', syscall = '', message = String(error) } = error as NodeJS.ErrnoException;
  if (code === 'ENAMETOOLONG') {
    const why = 'the path is longer than its file system takes';
    return new MillraceError('name_refused', `${location}: cannot ${doing}: ${why}`);
  }
  const reason = isWithoutLinks(code, syscall) ? NO_LINKS : REASONS[code];
  const why = reason === undefined ? message : `${reason[0]} (${code})`;
  return new StorageUnavailable(location, doing, { why, fix: reason?.[1] }, { cause: error });
}

/** Without links nothing can be written exactly once. */
function isWithoutLinks(code: string, syscall: string): boolean {
  const without = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];
  return (syscall === 'link' || syscall === 'symlink') && without.includes(code);
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');
}

/** What the call gives, or undefined where it fails with one of these codes. */
export async function unless<T>(codes: readonly string[], call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (hasCode(error, ...codes)) return undefined;
    throw error;
  }
}
