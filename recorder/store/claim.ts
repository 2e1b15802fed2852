import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { rolledOver } from '../../core/recording/file-name.ts';
import type { RecordingEpoch, RecordingKey, RecordingSpec } from '../../core/recording/recording.ts';
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

/** Who claims what. */
export interface Claimant {
  readonly spec: RecordingSpec;
  /** From 0. */
  readonly file: number;
  readonly epoch: RecordingEpoch;
  /** Tells one process' claims from another's of the same epoch, which should not be. */
  readonly mark?: string;
}

export function newMark(): string {
  return randomBytes(16).toString('hex');
}

/**
 * A writer's claim on a file. Storage fences nobody, so this is what keeps two writers apart: a writer makes its
 * claim first and looks for checkpoints then; its predecessor makes a checkpoint durable first and looks for
 * claims then. So either the predecessor sees the claim and stops, or the successor sees the checkpoint and
 * keeps off all part numbers that it allows.
 */
export class Claim {
  readonly #storage: Storage;
  readonly #claimant: Claimant;

  constructor(storage: Storage, claimant: Claimant) {
    this.#storage = storage;
    this.#claimant = claimant;
  }

  /** @throws Superseded when another process has the same epoch, or a higher one */
  async make(): Promise<void> {
    const { objects, patience } = this.#storage;
    const { spec, file, epoch, mark = newMark() } = this.#claimant;
    const key = claimKey(spec.id, file, epoch);
    const body = encodeClaim({ name: rolledOver(spec.key, file + 1), mark });
    try {
      await patience.until('claim', 0, (timeoutMs) =>
        objects.put(key, body, { timeoutMs, ifNoneMatch: '*' }),
      );
    } catch (error) {
      if (!(error instanceof StorageConflict)) throw error;
      // It may be this one: the answer to an earlier call was lost.
      const found = await getObject(this.#storage, key);
      if (!found || !body.equals(found)) throw new Superseded(`epoch ${epoch} is taken`);
    }
    await this.check();
  }

  /** @throws Superseded when this claim is not the highest, or is gone since the file is complete */
  async check(): Promise<void> {
    const { spec, file, epoch } = this.#claimant;
    const claims = await listAll(this.#storage, claimsPrefix(spec.id, file));
    const epochs = claims
      .map(({ key }) => parseKey(key))
      .flatMap((key) => (key?.kind === 'claim' ? [key.epoch] : []));
    const highest = Math.max(...epochs, 0);
    if (highest > epoch) throw new Superseded(`epoch ${highest} writes now`);
    if (highest < epoch) throw new Superseded('the file is complete');
  }
}
