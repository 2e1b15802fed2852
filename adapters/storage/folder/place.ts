import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { MillraceError } from '../../../core/protocol/error.ts';
import { checkObjectKey } from '../../../core/storage/object-key.ts';
import { StorageConflict } from '../../../core/storage/object-store.ts';
import { hasCode, unless } from './failure.ts';

/** What the store needs for itself, below the root; no key leads there. */
const HIDDEN = '.millrace/.store';
const AREAS = ['drafts', 'claims', 'metadata', 'uploads'] as const;
/** No process takes as long over what it writes. */
const LEFT_AFTER_MS = 24 * 3_600_000;
export type Area = (typeof AREAS)[number];

/** Which files keys are, and folders around them. */
export class Place {
  readonly root: string;
  #real: Promise<string> | undefined;

  constructor(root: string) {
    this.root = resolve(root);
  }

  /** Makes what has to be there. The root may be a symbolic link; nothing below it may. */
  async open(): Promise<string> {
    this.#real ??= this.#make();
    try {
      return await this.#real;
    } catch (error) {
      this.#real = undefined;
      throw error;
    }
  }

  async area(area: Area, ...names: readonly string[]): Promise<string> {
    return join(await this.open(), HIDDEN, area, ...names);
  }

  /** A path below the store's own folder, as it stands in a claim. */
  async hidden(relative: string): Promise<string> {
    return join(await this.open(), HIDDEN, relative);
  }

  async newDraft(): Promise<Draft> {
    const name = join('drafts', randomName());
    return { name, path: await this.hidden(name) };
  }

  /** The key's path, or undefined where a folder on the way is not there. */
  async find(key: string): Promise<string | undefined> {
    const path = await this.#pathOf(key);
    return (await this.#leadsTo(dirname(path))) ? path : undefined;
  }

  /**
   * The key's path; the folders on the way are there, for the moment: a deletion may take empty ones away.
   *
   * @throws StorageConflict where a file stands in the way
   */
  async prepare(key: string): Promise<string> {
    const path = await this.#pathOf(key);
    if (!(await this.#leadsTo(dirname(path)))) await this.#makeFolders(key);
    return path;
  }

  /** Takes away the folder and those above it, as far as they are empty. */
  async prune(folder: string): Promise<void> {
    const root = await this.open();
    let current = folder;
    while (current !== root && current.startsWith(`${root}/`)) {
      try {
        await rmdir(current);
      } catch (error) {
        if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY')) throw error;
        if (!hasCode(error, 'ENOENT')) break;
      }
      current = dirname(current);
    }
    await syncFolder(current);
  }

  async #make(): Promise<string> {
    await makeWithParents(this.root);
    const real = await realpath(this.root);
    for (const area of AREAS) await makeWithParents(join(real, HIDDEN, area));
    await syncFolder(join(real, HIDDEN));
    await sweep(join(real, HIDDEN, 'drafts'), () => true);
    await sweep(join(real, HIDDEN, 'uploads'), (name) => !isUpload(join(real, HIDDEN, 'uploads', name)));
    return real;
  }

  async #pathOf(key: string): Promise<string> {
    checkObjectKey(key);
    if (key === HIDDEN || key.startsWith(`${HIDDEN}/`)) {
      throw new MillraceError('name_refused', `the key ${JSON.stringify(key)} is the store’s own`);
    }
    return join(await this.open(), key);
  }

  /** Whether the folder is there. @throws MillraceError where a symbolic link leads elsewhere */
  async #leadsTo(folder: string): Promise<boolean> {
    const real = await unless(['ENOENT', 'ENOTDIR'], realpath(folder));
    if (real !== undefined && real !== folder) {
      throw new MillraceError('name_refused', `${folder} leads out of the store, to ${real}`);
    }
    return real !== undefined;
  }

  /** One by one from the root, which is not made anew: where a disk is not mounted, nothing is to be written. */
  async #makeFolders(key: string): Promise<void> {
    let folder = await this.open();
    for (const part of key.split('/').slice(0, -1)) {
      const parent = folder;
      folder = join(folder, part);
      try {
        await mkdir(folder);
        await syncFolder(parent);
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
        if (!(await isFolder(folder))) {
          throw new StorageConflict(`${key}: a file stands where the folder ${folder} is needed`);
        }
      }
    }
  }
}

/** A file that is being written, not yet an object. */
export interface Draft {
  /** Below the store's own folder. */
  readonly name: string;
  readonly path: string;
}

export function randomName(): string {
  return randomBytes(16).toString('hex');
}

/** A file's name for a key of any length. */
export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}

/** Makes durable what was linked, renamed or unlinked there. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await unless(['ENOENT'], open(folder, 'r'));
  await handle?.sync().finally(() => handle.close());
}

/** Writes a file whole and makes its content durable; its name is not durable yet. */
export async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  await withFile(path, 'wx', async (handle) => {
    await handle.writeFile(content);
    await handle.sync();
  });
}

export async function withFile<T>(
  path: string,
  flags: string | number,
  work: (handle: FileHandle) => Promise<T>,
): Promise<T> {
  const handle = await open(path, flags);
  try {
    return await work(handle);
  } finally {
    await handle.close();
  }
}

/** Node's recursive `mkdir` says ENOENT whatever the reason is. */
async function makeWithParents(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    if (!hasCode(error, 'ENOENT') || dirname(folder) === folder) throw error;
    await makeWithParents(dirname(folder));
    await makeWithParents(folder);
  }
}

/** Deletes what processes that died left behind long ago. */
async function sweep(folder: string, isLeft: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const stats = await unless(['ENOENT'], lstat(path));
    if (stats === undefined || stats.mtimeMs > Date.now() - LEFT_AFTER_MS || !isLeft(name)) continue;
    await rm(path, { recursive: true, force: true });
  }
}

function isUpload(path: string): boolean {
  return existsSync(join(path, 'upload.json')) && !basename(path).startsWith('new-');
}

async function isFolder(path: string): Promise<boolean> {
  const real = await unless(['ENOENT', 'ENOTDIR'], realpath(path));
  if (real === undefined) return false;
  if (real !== path) throw new MillraceError('name_refused', `${path} leads out of the store, to ${real}`);
  const handle = await open(path, 'r');
  return handle
    .stat()
    .then((stats) => stats.isDirectory())
    .finally(() => handle.close());
}
