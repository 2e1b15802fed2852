import type { Disk } from './disk.ts';

/** What is held in memory while the disk takes nothing: a few parts. */
const MAX_MEMORY_BYTES = 32 * 1024 * 1024;

/**
 * Copies of what is on its way to storage, on this machine: what a successor here finds when storage did not
 * get it in time, and what parts are made from. A machine that dies takes its spool with it. Where the disk
 * refuses to write, bytes stay in memory, up to a bound.
 */
export class Spool {
  readonly #disk: Disk;
  readonly #onError: (error: unknown) => void;
  readonly #memory = new Map<string, Uint8Array>();
  readonly #writing = new Map<string, Promise<boolean>>();
  #memoryBytes = 0;

  /** @param onError told of each call that the disk refused */
  constructor(disk: Disk, onError: (error: unknown) => void) {
    this.#disk = disk;
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
    const writing = this.#write(key, bytes).finally(() => this.#writing.delete(key));
    this.#writing.set(key, writing);
    return writing;
  }

  async #write(key: string, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#disk.write(key, bytes);
      this.#forget(key);
      return true;
    } catch (error) {
      this.#onError(error);
      return false;
    }
  }

  #forget(key: string): void {
    this.#memoryBytes -= this.#memory.get(key)?.length ?? 0;
    this.#memory.delete(key);
  }

  /** undefined when there is none, or the disk cannot read it. */
  async read(key: string): Promise<Uint8Array | undefined> {
    return this.#memory.get(key) ?? (await this.#allowed(this.#disk.read(key)));
  }

  /** Keys on the disk that begin with `prefix`, which ends in `/`. */
  async list(prefix: string): Promise<readonly string[]> {
    return (await this.#allowed(this.#disk.list(prefix))) ?? [];
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      await this.#writing.get(key);
      this.#forget(key);
      await this.#allowed(this.#disk.delete(key));
    }
  }

  /** Everything below `prefix`, which ends in `/`. */
  async deleteAll(prefix: string): Promise<void> {
    await this.settled();
    for (const key of [...this.#memory.keys()]) if (key.startsWith(prefix)) this.#forget(key);
    await this.#allowed(this.#disk.deleteFolder(prefix));
  }

  /** Once all writes under way have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing.values());
  }

  async #allowed<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      this.#onError(error);
      return undefined;
    }
  }
}
