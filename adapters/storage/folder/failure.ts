import { MillraceError } from '../../../core/protocol/error.ts';
import { StorageConflict } from '../../../core/storage/object-store.ts';

/** By code: what is wrong and what to do. */
const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'its disk is full; make room there, or choose another place',
  EDQUOT: 'the quota of this user is used up; make room there, or have it raised',
  EACCES: 'this user may not write and read there; let it, or choose another place',
  EPERM: 'this user may not do that there; let it, or choose another place',
  EROFS: 'its file system is read-only; mount it for writing, or choose another place',
  ENOENT: 'the folder is gone; was it deleted, or is a disk not mounted?',
  EIO: 'its disk fails; see the kernel’s log',
  EMFILE: 'this process has too many files open; raise its limit (ulimit -n)',
  ENFILE: 'this machine has too many files open; raise its limit (fs.file-max)',
  ESTALE: 'its file server has forgotten it; mount it again',
  ENOTDIR: 'a file stands where a folder is needed',
  EXDEV: 'a part of it is on another file system; everything must be on one',
  EFBIG: 'its file system takes no file of that size',
};

/** The error as callers know it. @param doing such as `write a/b.webm` */
export function failure(error: unknown, location: string, doing: string): Error {
  if (error instanceof MillraceError || error instanceof StorageConflict) return error;
  const { code = '', syscall = '', message = String(error) } = error as NodeJS.ErrnoException;
  const cannot = `${location}: cannot ${doing}`;
  if (code === 'ENAMETOOLONG') {
    return new MillraceError('name_refused', `${cannot}: the path is longer than its file system takes`);
  }
  const reason = linkReason(code, syscall) ?? REASONS[code];
  const why = reason === undefined ? message : `${reason} (${code})`;
  return new MillraceError('storage_unavailable', `${cannot}: ${why}`, { cause: error });
}

/** Without links nothing can be written exactly once. */
function linkReason(code: string, syscall: string): string | undefined {
  const without = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];
  return (syscall === 'link' || syscall === 'symlink') && without.includes(code)
    ? 'its file system has no hard or symbolic links (ext4, XFS, btrfs and NFS have); choose another place'
    : undefined;
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
