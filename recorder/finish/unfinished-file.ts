import type { RecordingEpoch, RecordingSpec } from '../../core/recording/recording.ts';
import type { CuePoint, FileTrack } from '../chunk.ts';
import type { Reservation } from '../store/reservation.ts';
import type { GapSummary, StoredPart } from '../store/tail.ts';

/** A file of which everything is there, in parts and behind them, and only has to become one object. */
export interface UnfinishedFile {
  readonly spec: RecordingSpec;
  /** From 0. */
  readonly file: number;
  /** Of who wrote its last media: the same for every finisher. */
  readonly epoch: RecordingEpoch;
  readonly reservation: Reservation;
  readonly upload?: string;
  /** Object with the first part, whose beginning is room for the head. */
  readonly head?: string;
  readonly parts: readonly StoredPart[];
  /** From here on nobody else uses numbers of parts. */
  readonly nextPartNumber: number;
  readonly coveredTo: number;
  readonly endOffset: number;
  readonly durationMs: number;
  readonly cues: readonly CuePoint[];
  readonly gaps: GapSummary;
  readonly tracks: readonly FileTrack[];
  /** Unix time of the file's time 0. */
  readonly startedAtMs: number;
  /** Bytes from `coveredTo` on, not beyond `endOffset`. */
  read(from: number, to: number): Promise<Uint8Array>;
}

/** The parts of a file that are made when everything is known; pure, so that every finisher makes the same. */
export interface FileEnds {
  /** Exactly `HEAD_BYTES` bytes. */
  head(file: {
    readonly tracks: readonly FileTrack[];
    readonly startedAtMs: number;
    readonly durationMs: number;
    /** Head and clusters: where the cues begin. */
    readonly mediaBytes: number;
    readonly cuesBytes: number;
  }): Uint8Array;
  cues(cues: readonly CuePoint[]): Uint8Array;
}
