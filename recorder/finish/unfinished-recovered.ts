import type { RecordingKey, RecordingSpec } from '../../core/recording/recording.ts';
import type { RecoveredFile } from '../store/recovery.ts';
import type { UnfinishedFile } from './unfinished-file.ts';

/** A file as it was found, for the one who completes it. */
export function unfinishedFrom(recovered: RecoveredFile, spec: RecordingSpec, file: number): UnfinishedFile {
  const { checkpoint, epoch, nextOffset, endMs, cues, gaps, state } = recovered;
  const { upload, head, parts, partLimit, coveredTo } = checkpoint;
  return {
    ...{ spec, file, epoch, parts, coveredTo, cues, gaps },
    // It was checked before it went there.
    reservation: { key: checkpoint.key as RecordingKey, etag: checkpoint.reservation },
    ...(upload === undefined ? {} : { upload }),
    ...(head === undefined ? {} : { head }),
    nextPartNumber: partLimit + 1,
    endOffset: nextOffset,
    durationMs: endMs,
    tracks: state?.tracks ?? [],
    startedAtMs: state?.startedAtMs ?? spec.requestedAtMs,
    read: (from, to) => readTails(recovered, from, to),
  };
}

async function readTails({ tails }: RecoveredFile, from: number, to: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (const { offset, bytes, body } of tails) {
    if (offset + bytes <= from || offset >= to) continue;
    pieces.push((await body()).subarray(Math.max(0, from - offset), to - offset));
  }
  return Buffer.concat(pieces);
}
