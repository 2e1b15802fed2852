import type { Logger } from 'pino';
import type { RecordingSpec } from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { forgetRecording } from '../finish/aftermath.ts';
import { LocalDisk } from '../store/disk.ts';
import { recordingPrefix } from '../store/layout.ts';
import { releaseKey } from '../store/reservation.ts';
import { Spool } from '../store/spool.ts';
import { inTime } from '../store/storage.ts';

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
  const { spec, spoolDirectory, log } = options;
  await inTime(options, 'the recording could not be given up', async (storage) => {
    await releaseKey(storage, spec.id, spec.key);
    await forgetRecording(storage, spec.id);
    const spool = new Spool(new LocalDisk(spoolDirectory), (error) =>
      log.warn({ err: error }, 'the spool failed'),
    );
    await spool.deleteAll(recordingPrefix(spec.id));
  });
}
