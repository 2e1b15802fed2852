import type { RecordingFile } from '../../core/recording/recording.ts';
import type { Metadata } from '../../core/storage/object-store.ts';
import { markOf } from '../store/reservation.ts';
import type { UnfinishedFile } from './unfinished-file.ts';

const DURATION = 'millrace-duration-ms';
const STARTED_AT = 'millrace-started-at';
const GAPS = 'millrace-gaps';
const GAPS_MS = 'millrace-gaps-ms';

/** What an object of a recording says of itself before all is known: when its upload is created. */
export function firstMetadata({ spec, file }: Pick<UnfinishedFile, 'spec' | 'file'>): Metadata {
  return {
    ...markOf(spec.id, 'complete'),
    'millrace-stream': encodeURIComponent(spec.stream),
    'millrace-file': String(file + 1),
  };
}

/** What it says in the end. Values must be ASCII: the stream's name is percent-encoded. */
export function finalMetadata(file: UnfinishedFile): Metadata {
  return {
    ...firstMetadata(file),
    [STARTED_AT]: new Date(file.startedAtMs).toISOString(),
    [DURATION]: String(Math.round(file.durationMs)),
    [GAPS]: String(file.gaps.count),
    [GAPS_MS]: String(Math.round(file.gaps.totalMs)),
  };
}

/** undefined before the final metadata is there. */
export function durationIn(metadata: Metadata): number | undefined {
  const text = metadata[DURATION];
  return text === undefined ? undefined : Number(text);
}

/** Unix time; undefined as above. */
export function startedAtIn(metadata: Metadata): number | undefined {
  const atMs = Date.parse(metadata[STARTED_AT] ?? '');
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** undefined as above. */
export function gapsIn(metadata: Metadata): { readonly count: number; readonly totalMs: number } | undefined {
  const { [GAPS]: count, [GAPS_MS]: totalMs } = metadata;
  if (count === undefined || totalMs === undefined) return undefined;
  return { count: Number(count), totalMs: Number(totalMs) };
}

/** The JSON file beside a finished one. */
export function sidecarOf(unfinished: UnfinishedFile, { key, bytes, durationMs }: RecordingFile): Uint8Array {
  const { spec, file, gaps, tracks, startedAtMs } = unfinished;
  const said = {
    recording: spec.id,
    stream: spec.stream,
    fileName: key,
    file: file + 1,
    bytes,
    duration_ms: Math.round(durationMs),
    started_at: new Date(startedAtMs).toISOString(),
    tracks: tracks.map(({ kind, codec, width, height }) => ({ kind, codec, width, height })),
    gaps: {
      count: gaps.count,
      total_ms: Math.round(gaps.totalMs),
      first: gaps.listed.map(({ kind, fromMs, toMs, reason }) => ({
        kind,
        from_ms: Math.round(fromMs),
        to_ms: Math.round(toMs),
        reason,
      })),
    },
  };
  return Buffer.from(`${JSON.stringify(said, null, 2)}\n`);
}
