import { MillraceError } from '../../core/protocol/error.ts';
import type { RecordingFile, RecordingSpec } from '../../core/recording/recording.ts';
import { completedFiles } from '../finish/completed-files.ts';
import { webmEnds } from '../finish/ends.ts';
import { inTime } from '../store/storage.ts';
import {
  type FinishRecordingOptions,
  finishFilesBefore,
  finishRecording,
} from '../sweep/finish-recording.ts';

export interface FinishFilesOptions extends Omit<FinishRecordingOptions, 'id' | 'ends' | 'timeoutMs'> {
  readonly spec: RecordingSpec;
}

/** What the store's own work may take for the largest file. */
export const FINISH_MS = 600_000;

/**
 * Completes all files of a recording, and leaves nothing else of it; finds those that a predecessor had completed.
 *
 * @throws as `finishRecording`
 */
export async function finishFiles(options: FinishFilesOptions): Promise<readonly RecordingFile[]> {
  const { spec, ...common } = options;
  const timed = { ...common, timeoutMs: FINISH_MS };
  const finished = await finishRecording({ ...timed, id: spec.id, ends: webmEnds });
  if (finished) return finished.files;
  // Whoever completed it died, or was killed, before it could say so.
  return await inTime(timed, 'the finished files could not be looked for', (storage) =>
    completedFiles(storage, spec),
  );
}

/** Completes the files before one that has begun, whoever wrote them. @throws as `finishRecording` */
export async function finishEarlier(
  options: FinishFilesOptions,
  before: number,
): Promise<readonly RecordingFile[]> {
  const { spec, ...common } = options;
  const timed = { ...common, timeoutMs: FINISH_MS };
  return await finishFilesBefore({ ...timed, id: spec.id, ends: webmEnds }, spec, before);
}

export function isStorageAway(error: unknown): boolean {
  return error instanceof MillraceError && error.errorName === 'storage_unavailable';
}
