import { readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Metadata } from '../../../core/storage/object-store.ts';
import { unless } from './failure.ts';
import { hashOf, type Place, syncFolder, writeDurably } from './place.ts';

/**
 * Metadata of objects, a file for each version that has some. It is there before the object is and found by
 * the object's ETag, so an object and its metadata change at one moment.
 */
export class MetadataFiles {
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  async save(key: string, etag: string, metadata: Metadata): Promise<void> {
    if (Object.keys(metadata).length === 0) {
      await this.forget(key, etag);
      return;
    }
    const path = await this.#pathOf(key, etag);
    const draft = await this.#place.newDraft();
    await writeDurably(draft.path, JSON.stringify({ key, etag, metadata }));
    await rename(draft.path, path);
    await syncFolder(dirname(path));
  }

  async read(key: string, etag: string): Promise<Metadata> {
    const content = await unless(['ENOENT'], readFile(await this.#pathOf(key, etag), 'utf8'));
    // Written by `save`, whole or not at all.
    return content === undefined ? {} : (JSON.parse(content) as { metadata: Metadata }).metadata;
  }

  async forget(key: string, etag: string): Promise<void> {
    await unless(['ENOENT'], unlink(await this.#pathOf(key, etag)));
  }

  async #pathOf(key: string, etag: string): Promise<string> {
    return this.#place.area('metadata', `${hashOf(key)}-${etag.replaceAll('"', '')}.json`);
  }
}
