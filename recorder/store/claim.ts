import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { rolledOver } from '../../core/recording/file-name.ts';
import type {
  RecordingEpoch,
  RecordingId,
  RecordingKey,
  RecordingSpec,
} from '../../core/recording/recording.ts';
import { StorageConflict } from '../../core/storage/object-store.ts';
import { claimKey, claimsPrefix, parseKey } from './layout.ts';
import { getObject, listAll, type Storage } from './storage.ts';

/** Somebody else writes this file now, or it is complete: nothing more may be written. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

const claimSchema = z.object({
  /** What the file is to be called: to be given back if nothing else is found of the recording. */
  name: z.string().transform((name) => name as RecordingKey),
  mark: z.string(),
});

type ClaimBody = z.infer<typeof claimSchema>;

function encodeClaim(claim: ClaimBody): Buffer {
  return Buffer.from(`${JSON.stringify(claim)}\n`);
}

/** @throws SyntaxError, ZodError for what is no claim */
export function decodeClaim(bytes: Uint8Array): ClaimBody {
  return claimSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
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
  readonly #name: RecordingKey;

  constructor(storage: Storage, { id, key }: RecordingSpec, file: number, epoch: RecordingEpoch) {
    this.#storage = storage;
    this.#id = id;
    this.#file = file;
    this.#epoch = epoch;
    this.#name = rolledOver(key, file + 1);
  }

  /** @throws Superseded when another process has the same epoch, or a higher one */
  async make(): Promise<void> {
    const { objects, patience } = this.#storage;
    const key = claimKey(this.#id, this.#file, this.#epoch);
    const mark = encodeClaim({ name: this.#name, mark: randomBytes(16).toString('hex') });
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
