import { z } from 'zod';
import type { GapReason, RecordingGap } from '../../core/recording/recording.ts';
import type { CuePoint, FileTrack, MuxState } from '../chunk.ts';
import { decodeEnvelope, encodeEnvelope } from './envelope.ts';

/** A chunk in storage, or several that follow each other: the file's bytes from `offset` on. */
export interface Tail {
  readonly offset: number;
  readonly body: Uint8Array;
  readonly cues: readonly CuePoint[];
  readonly gaps: readonly RecordingGap[];
  readonly state: MuxState;
  readonly endMs: number;
}

/** Everything that lies before the tails from `firstTail` on. */
export interface Checkpoint {
  /** The final object. */
  readonly key: string;
  /** ETag of the empty object that keeps the key for us. */
  readonly reservation: string;
  /** Absent until there is a part. */
  readonly upload?: string;
  /** Where the first part lies; absent until there is one. */
  readonly head?: string;
  /** The others, in order. */
  readonly parts: readonly StoredPart[];
  /** How many of the file's first bytes are in head and parts. */
  readonly coveredTo: number;
  /** The one with the byte at `coveredTo`, or the one that ends there. */
  readonly firstTail: number;
  /** The writer of this checkpoint uses no part's number above it before a later one is durable. */
  readonly partLimit: number;
  /** Of what lies before `firstTail`. */
  readonly cues: readonly CuePoint[];
  readonly gaps: GapSummary;
}

export interface StoredPart {
  readonly number: number;
  readonly etag: string;
  readonly bytes: number;
}

/** All gaps, the first of them one by one. */
export interface GapSummary {
  readonly count: number;
  readonly totalMs: number;
  readonly listed: readonly RecordingGap[];
}

const count = z.number().int().nonnegative();
const timeMs = z.number().nonnegative();

const cueSchema = z
  .tuple([timeMs, count, count])
  .transform(([time, track, offset]): CuePoint => ({ timeMs: time, track, offset }));

const gapSchema = z
  .tuple([
    z.enum(['audio', 'video']),
    timeMs,
    timeMs,
    z.enum(['loss', 'publisher_away', 'recorder_lost', 'spool_full'] satisfies GapReason[]),
  ])
  .transform(([kind, fromMs, toMs, reason]): RecordingGap => ({ kind, fromMs, toMs, reason }));

const trackSchema: z.ZodType<FileTrack> = z.object({
  number: z.number().int().positive(),
  kind: z.enum(['audio', 'video']),
  codec: z.enum(['opus', 'VP8', 'VP9', 'AV1']),
  width: count.exactOptional(),
  height: count.exactOptional(),
  codecPrivate: z.string().exactOptional(),
});

const stateSchema: z.ZodType<MuxState> = z.object({
  tracks: z.array(trackSchema),
  startedAtMs: z.number(),
  timeline: z.unknown(),
});

const tailSchema = z.object({
  offset: count,
  endMs: timeMs,
  cues: z.array(cueSchema),
  gaps: z.array(gapSchema),
  state: stateSchema,
});

const checkpointSchema = z.object({
  key: z.string().min(1),
  reservation: z.string().min(1),
  upload: z.string().min(1).exactOptional(),
  head: z.string().min(1).exactOptional(),
  parts: z.array(
    z
      .tuple([z.number().int().positive(), z.string().min(1), count])
      .transform(([number, etag, bytes]): StoredPart => ({ number, etag, bytes })),
  ),
  coveredTo: count,
  firstTail: count,
  partLimit: count,
  cues: z.array(cueSchema),
  gaps: z.object({ count, totalMs: timeMs, listed: z.array(gapSchema) }),
});

export function encodeTail({ offset, body, cues, gaps, state, endMs }: Tail): Buffer {
  const header = { offset, endMs, cues: cues.map(cueTuple), gaps: gaps.map(gapTuple), state };
  return encodeEnvelope(header, body);
}

/** @throws DamagedEnvelope, ZodError */
export function decodeTail(bytes: Uint8Array): Tail {
  const { header, body } = decodeEnvelope(bytes);
  return { ...tailSchema.parse(header), body };
}

export function encodeCheckpoint(checkpoint: Checkpoint): Buffer {
  const { cues, gaps, parts } = checkpoint;
  const header = {
    ...checkpoint,
    parts: parts.map(({ number, etag, bytes }) => [number, etag, bytes]),
    cues: cues.map(cueTuple),
    gaps: { ...gaps, listed: gaps.listed.map(gapTuple) },
  };
  return encodeEnvelope(header, new Uint8Array());
}

/** @throws DamagedEnvelope, ZodError */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  return checkpointSchema.parse(decodeEnvelope(bytes).header);
}

function cueTuple({ timeMs, track, offset }: CuePoint) {
  return [timeMs, track, offset];
}

function gapTuple({ kind, fromMs, toMs, reason }: RecordingGap) {
  return [kind, fromMs, toMs, reason];
}
