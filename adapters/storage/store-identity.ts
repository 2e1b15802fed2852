import { randomUUID } from 'node:crypto';
import { MillraceError } from '../../core/protocol/error.ts';
import { type ObjectStore, StorageConflict } from '../../core/storage/object-store.ts';

/** Beside the recordings' own; no client's file begins with a dot. */
const KEY = '.millrace-store';
const CALL = { timeoutMs: 3000 };
const MAX_CHARACTERS = 100;

/**
 * Which store this is: two processes that are told the same have the same one. The first to ask decides. (Two
 * machines may each have a folder of one name.)
 *
 * @returns asks when it is called first, and again until that succeeded; throws `storage_unavailable`
 */
export function storeIdentity(objects: ObjectStore): () => Promise<string> {
  let known: string | undefined;
  return async () => {
    known ??= (await read(objects)) ?? (await choose(objects));
    return known;
  };
}

async function read(objects: ObjectStore): Promise<string | undefined> {
  const bytes = await objects.get(KEY, CALL);
  if (bytes === undefined) return undefined;
  const text = Buffer.from(bytes).toString('latin1').trim();
  if (/^[\w-]+$/.test(text) && text.length <= MAX_CHARACTERS) return text;
  throw new MillraceError('storage_unavailable', `"${KEY}" at ${objects.location} is not ours; delete it`);
}

async function choose(objects: ObjectStore): Promise<string> {
  const own = randomUUID();
  try {
    await objects.put(KEY, Buffer.from(`${own}\n`), { ...CALL, ifNoneMatch: '*' });
  } catch (error) {
    if (!(error instanceof StorageConflict)) throw error;
  }
  // A store that ignores conditions keeps the last one written; all read that from now on.
  const chosen = await read(objects);
  if (chosen !== undefined) return chosen;
  throw new MillraceError('storage_unavailable', `what is written to ${objects.location} cannot be read`);
}
