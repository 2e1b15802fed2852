import { mkdir, readdir, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What is held in memory while the disk takes nothing: a few parts. */
const MAX_MEMORY_BYTES = 32 * 1024 * 1024;

/**
 * Copies of what is on its way to storage, in a folder of this machine: what a successor here finds when
 * storage did not get it in time, and what parts are made from. Nothing is synced: a machine that dies takes
 * its spool with it. Where the disk refuses to write, bytes stay in memory, up to a bound.
 */
export class Spool {
  readonly #directory: string;
  readonly #onError: (error: unknown) => void;
  readonly #memory = new Map<string, Uint8Array>();
  readonly #writing = new Map<string, Promise<boolean>>();
  readonly #folders = new Map<string, Promise<unknown>>();
  #memoryBytes = 0;

  /** @param onError told of each write that the disk refused */
  constructor(directory: string, onError: (error: unknown) => void) {
    this.#directory = directory;
    this.#onError = onError;
  }

  /** Whether one more can be kept. */
  get hasRoom(): boolean {
    return this.#memoryBytes < MAX_MEMORY_BYTES;
  }

  /** From now on it can be read. @returns whether the disk took it */
  write(key: string, bytes: Uint8Array): Promise<boolean> {
    this.#memory.set(key, bytes);
    this.#memoryBytes += bytes.length;
    const writing = this.#writeFile(key, bytes).then(
      () => {
        this.#forget(key);
        return true;
      },
      (error: unknown) => {
        this.#onError(error);
        return false;
      },
    );
    const tracked = writing.finally(() => {
      if (this.#writing.get(key) === tracked) this.#writing.delete(key);
    });
    this.#writing.set(key, tracked);
    return tracked;
  }

  async #writeFile(key: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#directory, key);
    const folder = dirname(path);
    let made = this.#folders.get(folder);
    if (!made) {
      made = mkdir(folder, { recursive: true });
      this.#folders.set(folder, made);
    }
    try {
      await made;
      await writeFile(path, bytes);
    } catch (error) {
      this.#folders.delete(folder);
      throw error;
    }
  }

  #forget(key: string): void {
    const bytes = this.#memory.get(key);
    if (!bytes) return;
    this.#memory.delete(key);
    this.#memoryBytes -= bytes.length;
  }

  /** undefined when there is none, or the disk cannot read it. */
  async read(key: string): Promise<Uint8Array | undefined> {
    const inMemory = this.#memory.get(key);
    if (inMemory) return inMemory;
    return await readFile(join(this.#directory, key)).catch(() => undefined);
  }

  /** Keys in the folder that begin with `prefix`, which ends in `/`. */
  async list(prefix: string): Promise<readonly string[]> {
    const found = await readdir(join(this.#directory, prefix), {
      recursive: true,
      withFileTypes: true,
    }).catch(() => []);
    return found
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(join(this.#directory, '/').length))
      .sort();
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      await this.#writing.get(key);
      this.#forget(key);
      await unlink(join(this.#directory, key)).catch(ignoreMissing(this.#onError));
    }
  }

  /** Everything below `prefix`, folders too. */
  async deleteAll(prefix: string): Promise<void> {
    await this.settled();
    for (const key of [...this.#memory.keys()]) if (key.startsWith(prefix)) this.#forget(key);
    this.#folders.clear();
    await rm(join(this.#directory, prefix), { recursive: true, force: true }).catch(this.#onError);
  }

  /** Once all writes under way have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing.values());
  }
}

function ignoreMissing(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) onError(error);
  };
}
