import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compareKeys } from '../../../core/storage/object-key.ts';
import { type Metadata, StorageConflict, type Upload } from '../../../core/storage/object-store.ts';
import { hasCode, unless } from './failure.ts';
import { type Place, randomName, syncFolder, writeDurably } from './place.ts';
import type { Slot } from './segment.ts';

const ID = /^[0-9a-f]{32}$/;
const PAGE = 1000;

/** Where the bytes of a part are. */
export interface PartRecord extends Slot {
  readonly etag: string;
  /** Name of the segment. */
  readonly segment: string;
}

/** What an upload is to become. */
export interface UploadRecord {
  readonly key: string;
  readonly metadata: Metadata;
}

/** Uploads under way, a folder for each: what it is to become, a record for each part, and segments with their bytes. */
export class UploadFolders {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async create(record: UploadRecord): Promise<Upload> {
    const id = randomName();
    const uploads = await this.#place.area('uploads');
    const draft = join(uploads, `new-${id}`);
    await mkdir(join(draft, 'parts'), { recursive: true });
    await writeDurably(join(draft, 'upload.json'), JSON.stringify(record));
    await syncFolder(draft);
    await rename(draft, join(uploads, id));
    await syncFolder(uploads);
    return { key: record.key, id };
  }

  /** @throws StorageConflict when the upload is gone */
  async find({ key, id }: Upload): Promise<UploadRecord> {
    const record = ID.test(id) ? await this.#read(id) : undefined;
    if (record?.key !== key) throw gone(key, id);
    return record;
  }

  /** Ordered by key, at most 1000. */
  async list(prefix: string): Promise<readonly Upload[]> {
    const ids = (await readdir(await this.#place.area('uploads'))).filter((name) => ID.test(name));
    const uploads: Upload[] = [];
    for (const id of ids) {
      const record = await this.#read(id);
      if (record?.key.startsWith(prefix)) uploads.push({ key: record.key, id });
    }
    return uploads.sort((a, b) => compareKeys(a.key, b.key) || (a.id < b.id ? -1 : 1)).slice(0, PAGE);
  }

  async remove({ id }: Upload): Promise<void> {
    if (!ID.test(id)) return;
    const uploads = await this.#place.area('uploads');
    // Its record goes first, so that what is left of it by a crash is no upload.
    await rm(join(uploads, id, 'upload.json'), { force: true });
    await rm(join(uploads, id), { recursive: true, force: true, maxRetries: 3 });
    await syncFolder(uploads);
  }

  /** A new file that nobody else writes. */
  async newSegment({ key, id }: Upload): Promise<{ readonly name: string; readonly path: string }> {
    const name = `segment-${randomName()}`;
    const path = await this.segmentPath(id, name);
    const handle = await unless(['ENOENT'], open(path, 'wx'));
    if (handle === undefined) throw gone(key, id);
    await handle.close();
    return { name, path };
  }

  async segmentPath(id: string, name: string): Promise<string> {
    return this.#place.area('uploads', id, name);
  }

  async savePart({ key, id }: Upload, number: number, record: PartRecord): Promise<void> {
    const folder = await this.#place.area('uploads', id);
    const draft = join(folder, `part-${randomName()}`);
    try {
      await writeDurably(draft, JSON.stringify(record));
      await rename(draft, join(folder, 'parts', `${number}.json`));
    } catch (error) {
      throw hasCode(error, 'ENOENT') ? gone(key, id) : error;
    }
    await syncFolder(join(folder, 'parts'));
    await syncFolder(folder);
  }

  async part({ id }: Upload, number: number): Promise<PartRecord | undefined> {
    const path = await this.#place.area('uploads', id, 'parts', `${number}.json`);
    const content = await unless(['ENOENT'], readFile(path, 'utf8'));
    // Written by `savePart`, whole or not at all.
    return content === undefined ? undefined : (JSON.parse(content) as PartRecord);
  }

  async #read(id: string): Promise<UploadRecord | undefined> {
    const path = await this.#place.area('uploads', id, 'upload.json');
    const content = await unless(['ENOENT'], readFile(path, 'utf8'));
    // Written by `create`, whole or not at all.
    return content === undefined ? undefined : (JSON.parse(content) as UploadRecord);
  }
}

export function gone(key: string, id: string): StorageConflict {
  return new StorageConflict(`the upload ${id} of ${key} is gone`);
}
