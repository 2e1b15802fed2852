import { mkdir, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Files below a folder, by paths relative to it. */
export interface Disk {
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Paths of the files below a folder, in order. */
  list(folder: string): Promise<readonly string[]>;
  /** What is not there is deleted already. */
  delete(path: string): Promise<void>;
  deleteFolder(folder: string): Promise<void>;
}

/** Nothing is synced: this disk's files outlive the process, not the machine. */
export class LocalDisk implements Disk {
  readonly #root: string;
  readonly #made = new Map<string, Promise<unknown>>();

  constructor(root: string) {
    this.#root = root;
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const file = join(this.#root, path);
    const folder = dirname(file);
    let made = this.#made.get(folder);
    if (!made) {
      made = mkdir(folder, { recursive: true });
      this.#made.set(folder, made);
    }
    try {
      await made;
      await writeFile(file, bytes);
    } catch (error) {
      this.#made.delete(folder);
      throw error;
    }
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return unlessMissing(readFile(join(this.#root, path)));
  }

  async list(folder: string): Promise<readonly string[]> {
    const options = { recursive: true, withFileTypes: true } as const;
    const found = await unlessMissing(readdir(join(this.#root, folder), options));
    return (found ?? [])
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(this.#root, '/').length))
      .sort();
  }

  async delete(path: string): Promise<void> {
    await unlessMissing(unlink(join(this.#root, path)));
  }

  async deleteFolder(folder: string): Promise<void> {
    this.#made.clear();
    await rm(join(this.#root, folder), { recursive: true, force: true });
  }
}

async function unlessMissing<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
