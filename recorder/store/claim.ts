import { randomBytes } from 'node:crypto';
import type { RecordingEpoch, RecordingId } from '../../core/recording/recording.ts';
import { StorageConflict } from '../../core/storage/object-store.ts';
import { claimKey, claimsPrefix, parseKey } from './layout.ts';
import { getObject, listAll, type Storage } from './storage.ts';

/** Somebody else writes this file now, or it is complete: nothing more may be written. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

/**
 * A writer's claim on a file. Storage fences nobody, so this is what keeps two writers apart: a writer makes its
 * claim first and looks for checkpoints then; its predecessor makes a checkpoint durable first and looks for
 * claims then. So either the predecessor sees the claim and stops, or the successor sees the checkpoint and
 * keeps off all part numbers that it allows.
 */
export class Claim {
  readonly #storage: Storage;
  readonly #id: RecordingId;
  readonly #file: number;
  readonly #epoch: RecordingEpoch;

  constructor(storage: Storage, id: RecordingId, file: number, epoch: RecordingEpoch) {
    this.#storage = storage;
    this.#id = id;
    this.#file = file;
    this.#epoch = epoch;
  }

  /** @throws Superseded when another process has the same epoch, or a higher one */
  async make(): Promise<void> {
    const { objects, patience } = this.#storage;
    const key = claimKey(this.#id, this.#file, this.#epoch);
    const mark = randomBytes(16);
    try {
      await patience.until('claim', 0, (timeoutMs) =>
        objects.put(key, mark, { timeoutMs, ifNoneMatch: '*' }),
      );
    } catch (error) {
      if (!(error instanceof StorageConflict)) throw error;
      // It may be this one: the answer to an earlier call was lost.
      const found = await getObject(this.#storage, key);
      if (!found || !mark.equals(found)) throw new Superseded(`epoch ${this.#epoch} is taken`);
    }
    await this.check();
  }

  /** @throws Superseded when this claim is not the highest, or is gone since the file is complete */
  async check(): Promise<void> {
    const claims = await listAll(this.#storage, claimsPrefix(this.#id, this.#file));
    const epochs = claims
      .map(({ key }) => parseKey(key))
      .flatMap((key) => (key?.kind === 'claim' ? [key.epoch] : []));
    const highest = Math.max(...epochs, 0);
    if (highest > this.#epoch) throw new Superseded(`epoch ${highest} writes now`);
    if (highest < this.#epoch) throw new Superseded('the file is complete');
  }
}
