import { MillraceError } from '../../core/protocol/error.ts';
import type { RecordingFile, RecordingSpec } from '../../core/recording/recording.ts';
import { webmEnds } from '../finish/ends.ts';
import { type FinishRecordingOptions, finishRecording } from '../sweep/finish-recording.ts';

export interface FinishFilesOptions extends Omit<FinishRecordingOptions, 'id' | 'ends' | 'timeoutMs'> {
  readonly spec: RecordingSpec;
}

/** What the store's own work may take for the largest file. */
export const FINISH_MS = 600_000;

/** Completes all files of a recording, and leaves nothing else of it. @throws as `finishRecording` */
export async function finishFiles(options: FinishFilesOptions): Promise<readonly RecordingFile[]> {
  const { spec, ...common } = options;
  const finished = await finishRecording({ ...common, id: spec.id, ends: webmEnds, timeoutMs: FINISH_MS });
  return finished?.files ?? [];
}

export function isStorageAway(error: unknown): boolean {
  return error instanceof MillraceError && error.errorName === 'storage_unavailable';
}
