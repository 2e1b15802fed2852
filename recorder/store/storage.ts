import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';
import type { ListedObject, ObjectStore } from '../../core/storage/object-store.ts';
import { Patience, Stopped } from './patience.ts';
import type { Sleep } from './sleep.ts';

/** The storage, and the patience to call it with. */
export interface Storage {
  readonly objects: ObjectStore;
  readonly patience: Patience;
}

export interface InTimeOptions {
  readonly objects: ObjectStore;
  readonly log: Logger;
  readonly timeoutMs: number;
  readonly sleep?: Sleep;
}

/** @throws MillraceError `storage_unavailable`, saying what was not done, when storage took too long */
export async function inTime<T>(
  { objects, log, timeoutMs, sleep }: InTimeOptions,
  what: string,
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs);
  const patience = new Patience({ objects, log, signal, ...(sleep ? { sleep } : {}) });
  try {
    return await work({ objects, patience });
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    const why = patience.lastFailure ?? 'it is slow';
    const text = `${what} at ${objects.location} within ${timeoutMs} ms: ${why}`;
    throw new MillraceError('storage_unavailable', text);
  }
}

const PAGE = 1000;
const DELETED_AT_ONCE = 1000;
const CALLS_AT_ONCE = 8;

/** All objects below a prefix, page by page. */
export async function listAll(
  { objects, patience }: Storage,
  prefix: string,
): Promise<readonly ListedObject[]> {
  const all: ListedObject[] = [];
  for (;;) {
    const after = all.at(-1)?.key;
    const page = await patience.until(`list ${prefix}`, 0, (timeoutMs) =>
      objects.list(prefix, { timeoutMs, ...(after === undefined ? {} : { after }) }),
    );
    all.push(...page);
    if (page.length < PAGE) return all;
  }
}

export async function getObject(
  { objects, patience }: Storage,
  key: string,
): Promise<Uint8Array | undefined> {
  return await patience.until(`get ${key}`, 0, (timeoutMs) => objects.get(key, { timeoutMs }));
}

export async function deleteAll({ objects, patience }: Storage, keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += DELETED_AT_ONCE) {
    const some = keys.slice(from, from + DELETED_AT_ONCE);
    await patience.until(`delete ${some.length} objects`, 0, (timeoutMs) =>
      objects.delete(some, { timeoutMs }),
    );
  }
}

/** `map` with a bound on what is under way at once. */
export async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  atOnce = CALLS_AT_ONCE,
): Promise<readonly R[]> {
  const results: R[] = [];
  let next = 0;
  const run = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, run));
  return results;
}

export function isMillrace(error: unknown, name: MillraceError['errorName']): boolean {
  return error instanceof MillraceError && error.errorName === name;
}
