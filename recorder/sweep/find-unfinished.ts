import type { Logger } from 'pino';
import type { RecordingEpoch, RecordingId, RecordingSpec } from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { parseKey, specKey, UNFINISHED } from '../store/layout.ts';
import { decodeSpec } from '../store/spec.ts';
import { getObject, inParallel, inTime, listAll } from '../store/storage.ts';

/** A recording that something lies in storage of, besides its files. */
export interface UnfinishedRecording {
  readonly id: RecordingId;
  /** Absent: it is complete, and a writer that did not know has left something. */
  readonly spec?: RecordingSpec;
  /** The newest file, from 0. */
  readonly file: number;
  /** 0 before the first writer. */
  readonly newestEpoch: RecordingEpoch;
  /** When something was written last, by the storage's clock. A writer with media writes every second. */
  readonly newestModifiedAtMs: number;
}

export interface FindOptions {
  readonly objects: ObjectStore;
  readonly log: Logger;
  readonly timeoutMs: number;
}

/**
 * All recordings that are not complete, alive or not; whether a writer is alive, who launches them knows. One
 * whose spec cannot be read is left where it is, and told to the log.
 *
 * @throws MillraceError `storage_unavailable` when it took too long
 */
export async function findUnfinished(options: FindOptions): Promise<readonly UnfinishedRecording[]> {
  return await inTime(options, 'unfinished recordings could not be listed', async (storage) => {
    const found = new Map<RecordingId, UnfinishedRecording>();
    for (const { key, modifiedAtMs } of await listAll(storage, UNFINISHED)) {
      const parsed = parseKey(key);
      if (!parsed) continue;
      const { id } = parsed;
      const before = found.get(id) ?? { id, file: 0, newestEpoch: 0, newestModifiedAtMs: 0 };
      found.set(id, {
        ...before,
        file: Math.max(before.file, 'file' in parsed ? parsed.file : 0),
        newestEpoch: Math.max(before.newestEpoch, 'epoch' in parsed ? parsed.epoch : 0),
        newestModifiedAtMs: Math.max(before.newestModifiedAtMs, modifiedAtMs),
      });
    }
    const described = await inParallel([...found.values()], async (recording) => {
      const bytes = await getObject(storage, specKey(recording.id));
      return bytes ? withSpec(recording, bytes, options.log) : recording;
    });
    return described.filter((recording) => recording !== undefined);
  });
}

function withSpec(
  recording: UnfinishedRecording,
  bytes: Uint8Array,
  log: Logger,
): UnfinishedRecording | undefined {
  try {
    return { ...recording, spec: decodeSpec(bytes) };
  } catch (error) {
    log.error({ recording: recording.id, err: error }, 'an unfinished recording cannot be read; left alone');
    return undefined;
  }
}
