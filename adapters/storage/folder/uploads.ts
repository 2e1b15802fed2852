import { type FileHandle, open, rm } from 'node:fs/promises';
import { MillraceError } from '../../../core/protocol/error.ts';
import {
  type Condition,
  type Metadata,
  StorageConflict,
  type Upload,
  type UploadedPart,
} from '../../../core/storage/object-store.ts';
import { StorageUnavailable } from '../../../core/storage/storage-unavailable.ts';
import { hasCode, unless } from './failure.ts';
import type { MetadataFiles } from './metadata-files.ts';
import { type Draft, type Place, randomName, withFile } from './place.ts';
import type { Publisher } from './publisher.ts';
import { Segment } from './segment.ts';
import { type PartRecord, UploadFolders } from './upload-folder.ts';
import { stamp, versionOf } from './version.ts';

const MAX_PART = 10_000;
/** What one step of copying holds in memory. */
const COPY_BYTES = 1024 * 1024;
const READS_AT_ONCE = 16;
/** Uploads that this process writes parts of; above that the oldest starts a new segment with its next part. */
const MAX_SEGMENTS = 1000;

/** Multipart uploads. */
export class Uploads {
  readonly #place: Place;
  readonly #publisher: Publisher;
  readonly #metadata: MetadataFiles;
  readonly #folders: UploadFolders;
  readonly #segments = new Map<string, Promise<Segment>>();
  /** By upload, parts and condition: who asks again while it is done waits for the same. */
  readonly #completing = new Map<string, Promise<{ readonly etag: string }>>();
  #closed = false;

  constructor(place: Place, publisher: Publisher, metadata: MetadataFiles) {
    this.#place = place;
    this.#publisher = publisher;
    this.#metadata = metadata;
    this.#folders = new UploadFolders(place);
  }

  async create(key: string, metadata: Metadata): Promise<Upload> {
    // Refuses a key that no object can have.
    await this.#place.find(key);
    return this.#folders.create({ key, metadata });
  }

  list(prefix: string): Promise<readonly Upload[]> {
    return this.#folders.list(prefix);
  }

  async abort(upload: Upload): Promise<void> {
    this.#segments.delete(upload.id);
    const record = await this.#folders.find(upload).catch(() => undefined);
    if (record !== undefined) await this.#folders.remove(upload);
  }

  async writePart(upload: Upload, number: number, body: Uint8Array): Promise<{ readonly etag: string }> {
    if (!Number.isInteger(number) || number < 1 || number > MAX_PART) {
      throw new MillraceError('invalid_field', `${number} is no number of a part: 1 to ${MAX_PART}`);
    }
    return this.#unlessGone(upload, async () => {
      // Nothing is awaited before: parts sent at once stand in the order in which they were sent.
      const segment = await this.#openSegment(upload);
      const slot = await segment.write(number, body);
      const etag = `"${randomName()}"`;
      await this.#folders.savePart(upload, number, { etag, segment: segment.name, ...slot });
      return { etag };
    });
  }

  /** Goes on to its end when nobody waits for it any more, as a store behind a network does. */
  complete(
    upload: Upload,
    parts: readonly UploadedPart[],
    condition: Condition,
  ): Promise<{ readonly etag: string }> {
    const { ifMatch, ifNoneMatch } = condition;
    const name = JSON.stringify([upload, parts, ifMatch, ifNoneMatch]);
    const running = this.#completing.get(name);
    if (running) return running;
    const completing = this.#unlessGone(upload, () => this.#complete(upload, parts, condition)).finally(() =>
      this.#completing.delete(name),
    );
    this.#completing.set(name, completing);
    return completing;
  }

  close(): void {
    this.#closed = true;
    this.#segments.clear();
  }

  async #complete(
    upload: Upload,
    parts: readonly UploadedPart[],
    condition: Condition,
  ): Promise<{ readonly etag: string }> {
    const { key, metadata } = await this.#folders.find(upload);
    // Asked first: joining is long, and in vain where the condition does not hold.
    await this.#publisher.check(key, await this.#place.prepare(key), condition);
    const records = await this.#recordsOf(
      upload,
      parts.toSorted((a, b) => a.number - b.number),
    );
    const draft = (await this.#joinedAlready(upload, records)) ?? (await this.#join(upload, records));
    const etag = await finish(draft.path, totalOf(records));
    await this.#metadata.save(key, etag, metadata);
    try {
      await this.#publisher.publish(draft, key, condition);
    } catch (error) {
      await this.#metadata.forget(key, etag);
      if (draft.temporary) await rm(draft.path, { force: true });
      throw error;
    }
    this.#segments.delete(upload.id);
    // The object is complete, whatever happens to what is left of its upload.
    await this.#folders.remove(upload).catch(() => {});
    return { etag };
  }

  async #recordsOf(upload: Upload, parts: readonly UploadedPart[]): Promise<readonly PartRecord[]> {
    const records: PartRecord[] = [];
    for (let from = 0; from < parts.length; from += READS_AT_ONCE) {
      const some = parts.slice(from, from + READS_AT_ONCE);
      const found = await Promise.all(some.map(({ number }) => this.#folders.part(upload, number)));
      for (const [index, record] of found.entries()) {
        if (record === undefined || record.etag !== some[index]?.etag) {
          throw new StorageConflict(
            `part ${some[index]?.number} of ${upload.key} is not there as it is named`,
          );
        }
        records.push(record);
      }
    }
    return records;
  }

  /** This process' own segment, where the parts stand in it in their order and from its beginning. */
  async #joinedAlready(upload: Upload, records: readonly PartRecord[]): Promise<Joined | undefined> {
    const segment = await this.#segments.get(upload.id);
    let end = 0;
    for (const record of records) {
      if (record.segment !== segment?.name || record.offset !== end) return undefined;
      end += record.bytes;
    }
    if (segment === undefined) return undefined;
    this.#segments.delete(upload.id);
    await segment.seal();
    const name = `uploads/${upload.id}/${segment.name}`;
    return { name, path: segment.path, temporary: false };
  }

  async #join(upload: Upload, records: readonly PartRecord[]): Promise<Joined> {
    const draft = await this.#place.newDraft();
    try {
      await withFile(draft.path, 'wx', async (to) => {
        const sources = new Map<string, FileHandle>();
        const buffer = Buffer.allocUnsafe(COPY_BYTES);
        try {
          for (const record of records) {
            const path = await this.#folders.segmentPath(upload.id, record.segment);
            const from = sources.get(path) ?? (await this.#readSegment(path, upload));
            sources.set(path, from);
            await this.#copy(from, to, record, buffer, upload);
          }
        } finally {
          for (const source of sources.values()) await source.close();
        }
      });
    } catch (error) {
      await rm(draft.path, { force: true });
      throw error;
    }
    return { ...draft, temporary: true };
  }

  async #readSegment(path: string, { key, id }: Upload): Promise<FileHandle> {
    const handle = await unless(['ENOENT'], open(path, 'r'));
    if (handle === undefined) throw new StorageConflict(`the parts of the upload ${id} of ${key} are gone`);
    return handle;
  }

  async #copy(
    from: FileHandle,
    to: FileHandle,
    { offset, bytes }: PartRecord,
    buffer: Buffer,
    upload: Upload,
  ): Promise<void> {
    for (let done = 0; done < bytes; ) {
      if (this.#closed) {
        throw new StorageUnavailable(this.#place.root, `join ${upload.key}`, { why: 'it is closed' });
      }
      const wanted = Math.min(buffer.length, bytes - done);
      const { bytesRead } = await from.read(buffer, 0, wanted, offset + done);
      if (bytesRead === 0) throw new StorageConflict(`a part of ${upload.key} is not there any more`);
      for (let written = 0; written < bytesRead; ) {
        written += (await to.write(buffer, written, bytesRead - written)).bytesWritten;
      }
      done += bytesRead;
    }
  }

  /** Others may end the upload at any moment; then all its files are gone. */
  async #unlessGone<T>(upload: Upload, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (hasCode(error, 'ENOENT')) await this.#folders.find(upload);
      throw error;
    }
  }

  /** One that takes parts still: another may have been completed while this one was waited for. */
  async #openSegment(upload: Upload): Promise<Segment> {
    for (;;) {
      const segment = await this.#segmentOf(upload);
      if (!segment.sealed) return segment;
    }
  }

  #segmentOf(upload: Upload): Promise<Segment> {
    const there = this.#segments.get(upload.id);
    if (there) return there;
    const made = this.#newSegment(upload);
    this.#segments.set(upload.id, made);
    made.catch(() => this.#segments.delete(upload.id));
    const [oldest] = this.#segments.keys();
    if (this.#segments.size > MAX_SEGMENTS && oldest !== undefined) this.#segments.delete(oldest);
    return made;
  }

  async #newSegment(upload: Upload): Promise<Segment> {
    await this.#folders.find(upload);
    const { name, path } = await this.#folders.newSegment(upload);
    return new Segment(name, path);
  }
}

interface Joined extends Draft {
  /** Made for this completion alone: of no use when it fails. */
  readonly temporary: boolean;
}

function totalOf(records: readonly PartRecord[]): number {
  return records.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Cuts off what belongs to no part, and makes the file durable. @returns its ETag as an object */
async function finish(path: string, bytes: number): Promise<string> {
  return withFile(path, 'r+', async (handle) => {
    await handle.truncate(bytes);
    await stamp(handle);
    await handle.sync();
    return versionOf(await handle.stat({ bigint: true })).etag;
  });
}
