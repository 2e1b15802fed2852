import type { RecordingProgress, RecordingRecord, RecordingSpec } from '../../../core/recording/recording.ts';

/** A recording as the scripts keep it, in lines; see `scripts/recordings.lua`. */
export function readRecording(value: string): RecordingRecord {
  const [attempt, host, saidAtMs, , , , , spec = '', progress = ''] = value.split('\n');
  return {
    ...(JSON.parse(spec) as RecordingSpec),
    host: JSON.parse(host ?? '') as string,
    attempt: Number(attempt),
    progress: JSON.parse(progress) as RecordingProgress,
    saidAtMs: Number(saidAtMs),
  };
}

/** Sorts recordings by the time of their request, then by id. */
export function placeOf({ requestedAtMs, id }: RecordingSpec): string {
  return String(requestedAtMs).padStart(16, '0') + id;
}
