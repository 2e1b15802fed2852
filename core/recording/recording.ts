import type { StreamName } from '../protocol/stream-name.ts';

/** 128 random bits, 32 digits of hexadecimal. */
export type RecordingId = string & { readonly brand: unique symbol };

/** Relative path below the recordings' folder or prefix, checked by `parseFileName`. */
export type RecordingKey = string & { readonly brand: unique symbol };

/**
 * Who writes: grows with every muxer of a recording. The attempt is granted by whoever launches recorders;
 * the muxers of one attempt are counted by its supervisor, without asking anyone.
 */
export type RecordingEpoch = number;

const MUXERS_AN_ATTEMPT = 2 ** 16;

/** @param attempt from 1  @param muxer from 0, counted within the attempt */
export function recordingEpoch(attempt: number, muxer: number): RecordingEpoch {
  return attempt * MUXERS_AN_ATTEMPT + muxer;
}

export function attemptOf(epoch: RecordingEpoch): number {
  return Math.floor(epoch / MUXERS_AN_ATTEMPT);
}

/** What is to be recorded; it never changes while a recording lasts, and is kept in storage with it. */
export interface RecordingSpec {
  readonly id: RecordingId;
  readonly stream: StreamName;
  readonly key: RecordingKey;
  /** Token subject of who asked for it; '' where authorisation is off. */
  readonly subject: string;
  /** Set where a client's `record.start` began it: `record.stop` without a name ends such ones. */
  readonly origin?: 'record.start';
  /**
   * Which store it is kept in, where processes of several machines might have several; absent = whoever knows of
   * the recording has its store.
   */
  readonly store?: string;
  /** Unix time. */
  readonly requestedAtMs: number;
  readonly limits: RecordingLimits;
  /** A JSON file beside the finished one says what its metadata says. */
  readonly sidecar: boolean;
}

export interface RecordingLimits {
  /** It ends well when it has this length. */
  readonly maxDurationMs: number;
  /** A file that has this size is finished, and the recording goes on in `name-2.webm`. */
  readonly maxFileBytes: number;
  /** What waits on this machine's disk while storage is away; beyond it new media is lost, as a gap. */
  readonly maxSpoolBytes: number;
  /** From the arrival of the oldest packet that is not durable to the beginning of the write that makes it so. */
  readonly flushIntervalMs: number;
  /** How long a publisher may be away before the recording ends. */
  readonly resumeMs: number;
}

/** A hole in the picture (its last frame stands still) or in the sound (filled with silence), not asked for by a mute. */
export interface RecordingGap {
  readonly kind: 'audio' | 'video';
  /** In the file's own time. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: GapReason;
}

export type GapReason =
  /** Packets that never came. */
  | 'loss'
  /** The publisher was away, and came back. */
  | 'publisher_away'
  /** A recorder, or a part of it, died or was replaced. */
  | 'recorder_lost'
  /** Storage was away for longer than the spool had room. */
  | 'spool_full';

export type RecordingState =
  /** A recorder is on its way, or has not got media yet. */
  | 'starting'
  | 'recording'
  /** Nothing more is recorded; the file is being completed and checked. */
  | 'finishing'
  | 'completed'
  | 'failed';

/** One finished file. A recording has one, unless it rolled over. */
export interface RecordingFile {
  /** Where it is; differs from what was asked for only when someone else had written there meanwhile. */
  readonly key: RecordingKey;
  readonly bytes: number;
  readonly durationMs: number;
}

/** What a recorder says of itself, twice a second and at each change of state. */
export interface RecordingProgress {
  readonly state: RecordingState;
  /** Unix time of the first media kept; absent until there is some. */
  readonly startedAtMs?: number;
  /** Length of what would survive if everything died now. */
  readonly durableMs: number;
  /** Length of what was received. `receivedMs - durableMs` is the durable lag. */
  readonly receivedMs: number;
  /** Bytes of the file, or files, so far. */
  readonly bytes: number;
  readonly spoolBytes: number;
  readonly gaps: { readonly count: number; readonly totalMs: number };
  /** Finished files; all of them in state `completed`. */
  readonly files: readonly RecordingFile[];
  /** Why it failed, or what hinders it now (storage away), for people. */
  readonly message?: string;
}

/** A recording as the registry holds it and `/api/v1` shows it. */
export interface RecordingRecord extends RecordingSpec {
  /** The process that launches its recorders. */
  readonly host: string;
  readonly attempt: number;
  readonly progress: RecordingProgress;
  /** When `progress` was said, by the registry's clock. */
  readonly saidAtMs: number;
}
