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

/** What never changes of it: its key, its places in the lists of all and of its stream's recordings, itself. */
export function writeSpec(spec: RecordingSpec): [string, string, string, string] {
  const { requestedAtMs, id, stream, key } = spec;
  // Sorts by the time of the request, then by id.
  const place = String(requestedAtMs).padStart(16, '0') + id;
  return [key, place, JSON.stringify(stream) + place, JSON.stringify(spec)];
}
