import { honoursConditions } from '../../core/storage/honours-conditions.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { StorageUnavailable } from '../../core/storage/storage-unavailable.ts';

/** All of them together stay within the deadline of a check. */
const CALL = { timeoutMs: 3000 } as const;
/** What a recording of half a Mbit/s writes each second. */
const PROBE_BYTES = 64 * 1024;

/** What came of using a store as a recorder does. */
export interface StorageTrial {
  /** What could not be done; nothing was tried behind it. */
  readonly failure?:
    | { readonly doing: string; readonly why: string; readonly fix?: string | undefined }
    | undefined;
  /** Whether it keeps to conditions; of no meaning after a failure. */
  readonly conditions: boolean;
  /** From asking to write `PROBE_BYTES` to the answer. */
  readonly writeMs: number;
  /** How far the store's clock is ahead. */
  readonly clockAheadMs: number;
}

/**
 * Writes, reads, lists, completes an upload and sets metadata.
 *
 * @param name that nobody else uses; nothing is left of it, unless the store fails meanwhile
 */
export async function tryStorage(store: ObjectStore, name: string): Promise<StorageTrial> {
  const trial = new Trial(store, `.millrace/${name}`);
  await trial.run();
  return trial;
}

class Trial implements StorageTrial {
  failure: StorageTrial['failure'];
  conditions = true;
  writeMs = 0;
  clockAheadMs = 0;
  readonly #store: ObjectStore;
  readonly #key: string;
  readonly #body = new Uint8Array(PROBE_BYTES).fill(0x4d);

  constructor(store: ObjectStore, key: string) {
    this.#store = store;
    this.#key = key;
  }

  async run(): Promise<void> {
    const [store, key] = [this.#store, this.#key];
    try {
      await this.#step('write an object', () => this.#write());
      await this.#step('read an object', async () => this.#same(await store.get(key, CALL)));
      await this.#step('list objects', async () => {
        const listed = await store.list(key, CALL);
        if (listed.length !== 1) throw new Error('what was just written is not in the list');
      });
      await this.#step('write an object in parts', () => this.#upload());
      await this.#step('set metadata', async () => {
        const { etag = '' } = (await store.head(key, CALL)) ?? {};
        await store.setMetadata(key, { probe: 'millrace' }, { ...CALL, ifMatch: etag });
      });
      await this.#step('delete an object', async () => {
        await store.delete([key], CALL);
        if ((await store.head(key, CALL)) !== undefined) throw new Error('it is still there');
      });
      await this.#step('use conditions', async () => {
        this.conditions = await honoursConditions(store, { key, ...CALL });
      });
    } finally {
      await store.delete([key], CALL).catch(() => {});
    }
  }

  async #write(): Promise<void> {
    const startedMs = performance.now();
    await this.#store.put(this.#key, this.#body, CALL);
    this.writeMs = performance.now() - startedMs;
    const { modifiedAtMs = Date.now() } = (await this.#store.head(this.#key, CALL)) ?? {};
    this.clockAheadMs = modifiedAtMs - Date.now();
  }

  async #upload(): Promise<void> {
    const options = { ...CALL, metadata: {}, contentType: 'text/plain' };
    const upload = await this.#store.createUpload(this.#key, options);
    try {
      const { etag } = await this.#store.uploadPart(upload, 1, this.#body, CALL);
      const underWay = await this.#store.uploads(this.#key, CALL);
      if (underWay.length === 0) throw new Error('what was just begun is not in the list of uploads');
      await this.#store.completeUpload(upload, [{ number: 1, etag }], CALL);
    } catch (error) {
      await this.#store.abortUpload(upload, CALL).catch(() => {});
      throw error;
    }
    this.#same(await this.#store.get(this.#key, CALL));
  }

  #same(content: Uint8Array | undefined): void {
    if (content === undefined || Buffer.compare(content, this.#body) !== 0) {
      throw new Error('it gives back something else than was written');
    }
  }

  async #step(doing: string, work: () => Promise<void>): Promise<void> {
    if (this.failure !== undefined) return;
    try {
      await work();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.failure =
        error instanceof StorageUnavailable ? { doing, why: error.why, fix: error.fix } : { doing, why };
    }
  }
}
