import type { Logger } from 'pino';
import type { RecordingSpec } from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { reserveRecording } from './reservation.ts';
import { inTime } from './storage.ts';

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
  await inTime(options, 'the name could not be reserved', async (storage) => {
    await reserveRecording(storage, options.spec, options.log);
  });
}
