import { constants } from 'node:fs';
import { type FileHandle, open, rm, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  type ByteRange,
  type CallOptions,
  type Condition,
  type ListedObject,
  type Metadata,
  type ObjectInfo,
  type ObjectStore,
  type PutOptions,
  StorageConflict,
  type Upload,
  type UploadedPart,
} from '../../../core/storage/object-store.ts';
import { StorageUnavailable } from '../../../core/storage/storage-unavailable.ts';
import { withinDeadline } from '../deadline.ts';
import { failure, unless } from './failure.ts';
import { chunksOf, readWhole } from './file-body.ts';
import { listObjects } from './listing.ts';
import { MetadataFiles } from './metadata-files.ts';
import { Place, withFile } from './place.ts';
import { Publisher } from './publisher.ts';
import { Uploads } from './uploads.ts';
import { stamp, versionAt, versionOf } from './version.ts';

/**
 * Objects as files below a folder, each under its key. What the store knows beside, metadata and uploads under
 * way, is in `.millrace/.store` there. Several processes may have the same folder open.
 *
 * An answer means durable: files and folders are synced. Calls to a disk cannot be taken back: what did not
 * end in time may still happen, as with a store behind a network.
 */
export function openFolder(root: string): ObjectStore {
  return new FolderStore(root);
}

class FolderStore implements ObjectStore {
  readonly location: string;
  readonly #place: Place;
  readonly #metadata: MetadataFiles;
  readonly #publisher: Publisher;
  readonly #uploads: Uploads;
  #closed = false;

  constructor(root: string) {
    this.#place = new Place(root);
    this.location = this.#place.root;
    this.#metadata = new MetadataFiles(this.#place);
    this.#publisher = new Publisher(this.#place, this.#metadata);
    this.#uploads = new Uploads(this.#place, this.#publisher, this.#metadata);
  }

  put(key: string, body: Uint8Array, options: PutOptions): Promise<{ readonly etag: string }> {
    return this.#call(`write ${key}`, options, async () => {
      await this.#publisher.check(key, await this.#place.prepare(key), options);
      const draft = await this.#place.newDraft();
      let etag: string | undefined;
      try {
        etag = await withFile(draft.path, 'wx', async (handle) => {
          await handle.writeFile(body);
          await stamp(handle);
          await handle.sync();
          return versionOf(await handle.stat({ bigint: true })).etag;
        });
        if (options.metadata) await this.#metadata.save(key, etag, options.metadata);
        await this.#publisher.publish(draft, key, options);
        return { etag };
      } catch (error) {
        await rm(draft.path, { force: true });
        if (etag !== undefined && options.metadata) await this.#metadata.forget(key, etag);
        throw error;
      }
    });
  }

  head(key: string, options: CallOptions): Promise<ObjectInfo | undefined> {
    return this.#call(`look at ${key}`, options, async (signal) => {
      const path = await this.#place.find(key);
      if (path === undefined) return undefined;
      for (;;) {
        const version = await versionAt(path);
        if (version === undefined) return undefined;
        const metadata = await this.#metadata.read(key, version.etag);
        // An object and its metadata are two files; both are of one version when nothing changed in between.
        if ((await versionAt(path))?.etag === version.etag) return { ...version, metadata };
        signal.throwIfAborted();
      }
    });
  }

  get(key: string, options: CallOptions & { readonly range?: ByteRange }): Promise<Uint8Array | undefined> {
    return this.#call(`read ${key}`, options, async () => {
      const handle = await this.#open(key);
      return handle && readWhole(handle, options.range).finally(() => handle.close());
    });
  }

  read(
    key: string,
    options: CallOptions & { readonly range?: ByteRange },
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const doing = `read ${key}`;
    return this.#call(doing, options, async () => {
      const handle = await this.#open(key);
      return (
        handle &&
        chunksOf(handle, options.range, (work) => this.#call(doing, { timeoutMs: options.timeoutMs }, work))
      );
    });
  }

  delete(keys: readonly string[], options: CallOptions): Promise<void> {
    const doing = keys.length === 1 ? `delete ${keys[0]}` : `delete ${keys.length} objects`;
    return this.#call(doing, options, async () => {
      const folders = new Set<string>();
      for (const key of keys) {
        const path = await this.#place.find(key);
        const version = path === undefined ? undefined : await versionAt(path);
        if (path === undefined || version === undefined) continue;
        await unless(['ENOENT'], unlink(path));
        await this.#metadata.forget(key, version.etag);
        folders.add(dirname(path));
      }
      for (const folder of folders) await this.#place.prune(folder);
    });
  }

  list(prefix: string, options: CallOptions & { readonly after?: string }): Promise<readonly ListedObject[]> {
    return this.#call(`list ${prefix}`, options, () => listObjects(this.#place, prefix, options.after));
  }

  setMetadata(
    key: string,
    metadata: Metadata,
    options: CallOptions & { readonly ifMatch: string },
  ): Promise<boolean> {
    return this.#call(`set the metadata of ${key}`, options, async () => {
      const path = await this.#place.find(key);
      if (path === undefined) throw new StorageConflict(`${key} is not there`);
      await this.#publisher.check(key, path, options);
      // A file of this version alone: of no effect should the object be replaced meanwhile.
      await this.#metadata.save(key, options.ifMatch, metadata);
      return true;
    });
  }

  createUpload(
    key: string,
    options: CallOptions & { readonly metadata: Metadata; readonly contentType: string },
  ): Promise<Upload> {
    return this.#call(`begin an upload of ${key}`, options, () =>
      this.#uploads.create(key, options.metadata),
    );
  }

  uploadPart(
    upload: Upload,
    number: number,
    body: Uint8Array,
    options: CallOptions,
  ): Promise<{ readonly etag: string }> {
    return this.#call(`write part ${number} of ${upload.key}`, options, () =>
      this.#uploads.writePart(upload, number, body),
    );
  }

  completeUpload(
    upload: Upload,
    parts: readonly UploadedPart[],
    options: CallOptions & Condition,
  ): Promise<{ readonly etag: string }> {
    return this.#call(`complete the upload of ${upload.key}`, options, () =>
      this.#uploads.complete(upload, parts, options),
    );
  }

  abortUpload(upload: Upload, options: CallOptions): Promise<void> {
    return this.#call(`abort the upload of ${upload.key}`, options, () => this.#uploads.abort(upload));
  }

  uploads(prefix: string, options: CallOptions): Promise<readonly Upload[]> {
    return this.#call(`list uploads of ${prefix}`, options, () => this.#uploads.list(prefix));
  }

  /** Files have no addresses; the server serves them itself. */
  presign(key: string): Promise<undefined> {
    return this.#call(`presign ${key}`, { timeoutMs: 5000 }, async () => {
      await this.#place.find(key);
      return undefined;
    });
  }

  close(): void {
    this.#closed = true;
    this.#uploads.close();
  }

  async #open(key: string): Promise<FileHandle | undefined> {
    const path = await this.#place.find(key);
    if (path === undefined || (await versionAt(path)) === undefined) return undefined;
    return unless(['ENOENT'], open(path, constants.O_RDONLY | constants.O_NOFOLLOW));
  }

  async #call<T>(
    doing: string,
    { timeoutMs }: CallOptions,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      if (this.#closed) throw new StorageUnavailable(this.location, doing, { why: 'it is closed' });
      return await withinDeadline(timeoutMs, work, () =>
        StorageUnavailable.late(this.location, doing, timeoutMs),
      );
    } catch (error) {
      throw failure(error, this.location, doing);
    }
  }
}
