import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';
import type { RecordingSpec } from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { forgetRecording } from '../finish/aftermath.ts';
import { LocalDisk } from '../store/disk.ts';
import { recordingPrefix } from '../store/layout.ts';
import { Patience, Stopped } from '../store/patience.ts';
import { releaseKey } from '../store/reservation.ts';
import { Spool } from '../store/spool.ts';

export interface DiscardOptions {
  readonly objects: ObjectStore;
  readonly spec: RecordingSpec;
  readonly spoolDirectory: string;
  readonly log: Logger;
  readonly timeoutMs: number;
}

/**
 * Deletes everything of a recording that is given up before it was anybody's: nothing of it runs any more. Its
 * name goes first; what a death leaves behind then is completed by a sweep, and is a file.
 *
 * @throws MillraceError `storage_unavailable` when it took too long
 */
export async function discardRecording(options: DiscardOptions): Promise<void> {
  const { objects, spec, spoolDirectory, log, timeoutMs } = options;
  const patience = new Patience({ log, signal: AbortSignal.timeout(timeoutMs) });
  const storage = { objects, patience };
  try {
    await releaseKey(storage, spec.id, spec.key);
    await forgetRecording(storage, spec.id);
    const spool = new Spool(new LocalDisk(spoolDirectory), (error) =>
      log.warn({ err: error }, 'the spool failed'),
    );
    await spool.deleteAll(recordingPrefix(spec.id));
  } catch (error) {
    if (!(error instanceof Stopped)) throw error;
    const why = patience.lastFailure ?? 'it is slow';
    const text = `the recording could not be given up at ${objects.location} within ${timeoutMs} ms: ${why}`;
    throw new MillraceError('storage_unavailable', text);
  }
}
