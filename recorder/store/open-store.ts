import { MillraceError } from '../../core/protocol/error.ts';
import { newMark } from './claim.ts';
import { LocalDisk } from './disk.ts';
import type { OpenContext } from './open-context.ts';
import { leftInSpool, openFromSpool } from './open-from-spool.ts';
import { openFromStorage } from './open-from-storage.ts';
import { Patience, Stopped } from './patience.ts';
import { Spool } from './spool.ts';
import type { RecordingStore } from './store.ts';
import type { StoreOptions } from './store-options.ts';

const OPEN_TIMEOUT_MS = 30_000;
const SPOOL_AFTER_MS = 1500;

/**
 * Becomes the writer of a recording's file: claims it, finds what predecessors left in storage and in this
 * machine's spool, reserves the file's key where it is new. Where storage does not answer and this machine's spool
 * has what a writer of the same attempt left, it begins from that, and sees to the rest when storage is back.
 *
 * @throws Superseded when a later writer has begun, or the file is complete; MillraceError `name_taken`, or
 *   `storage_unavailable` when storage was not to be had in time
 */
export async function openStore(options: StoreOptions): Promise<RecordingStore> {
  const { objects, log, sleep, openTimeoutMs = OPEN_TIMEOUT_MS, spoolAfterMs = SPOOL_AFTER_MS } = options;
  const stop = new AbortController();
  const abandon = new AbortController();
  const patienceUntil = (signal: AbortSignal) =>
    new Patience({ objects, log, signal, ...(sleep ? { sleep } : {}) });
  const opening = patienceUntil(AbortSignal.any([abandon.signal, AbortSignal.timeout(openTimeoutMs)]));
  const disk = options.disk ?? new LocalDisk(options.spoolDirectory);
  const context: OpenContext = {
    options,
    opening: { objects, patience: opening },
    storage: { objects, patience: patienceUntil(stop.signal) },
    stop,
    spool: new Spool(disk, (error) => log.warn({ err: error }, 'the spool failed')),
    mark: newMark(),
  };
  try {
    const store = await openEither(context, spoolAfterMs, abandon);
    await store.begin();
    return store;
  } catch (error) {
    stop.abort();
    if (!(error instanceof Stopped)) throw error;
    const why = opening.lastFailure ?? 'it is slow';
    throw new MillraceError(
      'storage_unavailable',
      `${objects.location} could not be opened within ${openTimeoutMs} ms: ${why}`,
    );
  }
}

async function openEither(
  context: OpenContext,
  spoolAfterMs: number,
  abandon: AbortController,
): Promise<RecordingStore> {
  const left = await leftInSpool(context);
  const fromStorage = openFromStorage(context);
  if (!left) return await fromStorage;
  const opened = await unlessSlow(fromStorage, spoolAfterMs);
  if (opened) return opened;
  abandon.abort();
  context.options.log.warn('storage is away: the recording goes on from this machine’s spool');
  return openFromSpool(context, left);
}

/** undefined when it takes longer; what it still does harms nobody. */
async function unlessSlow<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  work.catch(() => {});
  if (ms <= 0) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const slow = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms).unref();
  });
  try {
    return await Promise.race([work, slow]);
  } finally {
    clearTimeout(timer);
  }
}
