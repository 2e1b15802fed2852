import type { RecordingGap } from '../core/recording/recording.ts';

/**
 * Some whole clusters of the file: what is made durable together. The first chunk of a file begins with
 * `HEAD_BYTES` of room for the head, which is written at the end.
 */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** Key frames in `bytes`, and gaps that ended since the chunk before. */
  readonly cues: readonly CuePoint[];
  readonly gaps: readonly RecordingGap[];
  /** What a successor needs to go on behind this chunk; plain JSON data. */
  readonly state: MuxState;
  /** Length of the file's media with this chunk. */
  readonly endMs: number;
  /** Arrival of the oldest packet in it, by the receiver's clock. */
  readonly oldestAtMs: number;
}

export interface CuePoint {
  readonly timeMs: number;
  /** Track number in the file. */
  readonly track: number;
  /** Position of the cluster in the file, from its first byte. */
  readonly offset: number;
}

/** Room at the beginning of a file for everything in front of the first cluster. */
export const HEAD_BYTES = 2048;

/** Opaque to the store, except for what the head is made from. */
export interface MuxState {
  readonly tracks: readonly FileTrack[];
  /** Unix time of the file's time 0. */
  readonly startedAtMs: number;
  /** The timeline's own; read by the timeline alone. */
  readonly timeline: unknown;
}

export interface FileTrack {
  /** From 1. */
  readonly number: number;
  readonly kind: 'audio' | 'video';
  readonly codec: 'opus' | 'VP8' | 'VP9' | 'AV1';
  /** Of video: that of the largest picture so far. */
  readonly width?: number;
  readonly height?: number;
  /** Of AV1: the body of `av1C`, in base64. */
  readonly codecPrivate?: string;
}
