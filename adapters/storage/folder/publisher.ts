import { existsSync } from 'node:fs';
import { link, readlink, rename, symlink, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Condition, StorageConflict } from '../../../core/storage/object-store.ts';
import { hasCode, unless } from './failure.ts';
import type { MetadataFiles } from './metadata-files.ts';
import { type Draft, hashOf, type Place, syncFolder } from './place.ts';
import { versionAt } from './version.ts';

/** Losing to others this often in a row is not chance. */
const MAX_ROUNDS = 1000;

/**
 * Makes drafts into objects, each at once and under its condition, whatever other processes do meanwhile: run,
 * stop for an hour in the middle and run on, or die. A lock would have to wait for the one that stopped, or be
 * taken from it and let both write.
 *
 * Where nothing is, the draft is linked, which the kernel does for one of several. An object is replaced by
 * whoever claims its version first: the claim is a symbolic link, named by key and ETag, that leads to the draft.
 * Others find the claim and finish the replacement for it. A draft can be renamed but once, and a version never
 * comes back, so whoever comes late finds nothing left to do.
 */
export class Publisher {
  readonly #place: Place;
  readonly #metadata: MetadataFiles;

  constructor(place: Place, metadata: MetadataFiles) {
    this.#place = place;
    this.#metadata = metadata;
  }

  /** @throws StorageConflict; the draft is still there then */
  async publish(draft: Draft, key: string, condition: Condition): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const path = await this.#place.prepare(key);
      const current = await this.check(key, path, condition);
      const done =
        current === undefined ? await create(draft, path) : await this.#replace(draft, key, path, current);
      if (!done) continue;
      await syncFolder(dirname(path));
      if (current !== undefined) await this.#metadata.forget(key, current);
      return;
    }
    throw new Error(`${key} was replaced by others ${MAX_ROUNDS} times meanwhile`);
  }

  /** @returns the ETag of what is there now @throws StorageConflict when the condition does not hold */
  async check(key: string, path: string, { ifNoneMatch, ifMatch }: Condition): Promise<string | undefined> {
    const current = await versionAt(path);
    if (ifNoneMatch !== undefined && current !== undefined) {
      throw new StorageConflict(`${key} is there already`);
    }
    if (ifMatch !== undefined && current?.etag !== ifMatch) {
      throw new StorageConflict(
        current === undefined ? `${key} is not there` : `${key} is ${current.etag}, not ${ifMatch}`,
      );
    }
    return current?.etag;
  }

  /** @returns false when another was first */
  async #replace(draft: Draft, key: string, path: string, current: string): Promise<boolean> {
    const claim = await this.#place.area('claims', `${hashOf(key)}-${current.replaceAll('"', '')}`);
    try {
      await symlink(draft.name, claim);
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
      await this.#help(claim, path, current);
      return false;
    }
    // A claim made after the version was replaced, and its claim taken away, is worth nothing.
    const valid = (await versionAt(path))?.etag === current;
    const renamed = valid && (await moved(draft.path, path));
    // A draft is gone only where another has found a claim that is worth something, and renamed it for us.
    const helped = !renamed && !existsSync(draft.path);
    await unless(['ENOENT'], unlink(claim));
    return renamed || helped;
  }

  /** Finishes what another began, as it may have been stopped or be dead. */
  async #help(claim: string, path: string, current: string): Promise<void> {
    const name = await unless(['ENOENT'], readlink(claim));
    if (name === undefined || (await versionAt(path))?.etag !== current) return;
    await moved(await this.#place.hidden(name), path);
    await unless(['ENOENT'], unlink(claim));
  }
}

async function create(draft: Draft, path: string): Promise<boolean> {
  try {
    await link(draft.path, path);
  } catch (error) {
    // ENOENT: its folder was empty, and deleted. EEXIST is a folder too, which no object can be in place of.
    if (hasCode(error, 'EEXIST') && (await versionAt(path)) === undefined) {
      throw new StorageConflict(`${path} is a folder`);
    }
    if (hasCode(error, 'ENOTDIR')) throw new StorageConflict(`${path}: a file stands in place of a folder`);
    if (hasCode(error, 'EEXIST', 'ENOENT')) return false;
    throw error;
  }
  await unlink(draft.path);
  return true;
}

async function moved(from: string, to: string): Promise<boolean> {
  return (
    (await unless(
      ['ENOENT'],
      rename(from, to).then(() => true),
    )) ?? false
  );
}
