import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';
import type { RecordingSpec } from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { Patience, Stopped } from './patience.ts';
import { reserveRecording } from './reservation.ts';
import type { Storage } from './storage.ts';

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
