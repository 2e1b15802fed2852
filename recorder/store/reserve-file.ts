import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';
import type { RecordingSpec } from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { recordingPrefix, specKey } from './layout.ts';
import { Patience, Stopped } from './patience.ts';
import { releaseKey, reserveRecording } from './reservation.ts';
import { deleteAll, listAll, type Storage } from './storage.ts';

export interface ReserveOptions {
  readonly objects: ObjectStore;
  readonly spec: RecordingSpec;
  readonly log: Logger;
  readonly timeoutMs: number;
}

/**
 * Keeps a recording's key for it before any recorder runs, so that a taken name is known at once. Again for the
 * same recording changes nothing; a recorder finds it.
 *
 * @throws MillraceError `name_taken`, `storage_unavailable`
 */
export async function reserveFile(options: ReserveOptions): Promise<void> {
  await within(options, async (storage) => {
    await reserveRecording(storage, options.spec, options.log);
  });
}

/**
 * Takes a reservation back when no recorder has begun.
 *
 * @returns false when one has: the recording is to be finished, which leaves nothing where there is no media
 * @throws MillraceError `storage_unavailable`
 */
export async function releaseFile(options: ReserveOptions): Promise<boolean> {
  const { id, key } = options.spec;
  return await within(options, async (storage) => {
    const keys = await listAll(storage, recordingPrefix(id));
    if (keys.some((one) => one.key !== specKey(id))) return false;
    await releaseKey(storage, id, key);
    await deleteAll(storage, [specKey(id)]);
    return true;
  });
}

async function within<T>(
  { objects, log, timeoutMs }: ReserveOptions,
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  const patience = new Patience({ log, signal: AbortSignal.timeout(timeoutMs) });
  try {
    return await work({ objects, patience });
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    const why = patience.lastFailure ?? 'it is slow';
    throw new MillraceError(
      'storage_unavailable',
      `${objects.location} did not answer within ${timeoutMs} ms: ${why}`,
    );
  }
}
