import type { RecordingSpec } from './recording.ts';

/** What storage knows of recordings, for whoever launches their recorders. */
export interface RecordingStorage {
  /**
   * Takes the key of a recording: nobody else gets it from now on.
   *
   * @throws MillraceError `name_taken` when an object or another recording has it, `storage_unavailable`
   */
  reserve(spec: RecordingSpec, options: { readonly timeoutMs: number }): Promise<void>;
  /**
   * Deletes everything of a recording that is given up, its reservation first; none of its recorders runs.
   *
   * @throws MillraceError `storage_unavailable`
   */
  discard(spec: RecordingSpec, options: { readonly timeoutMs: number }): Promise<void>;
  /**
   * Recordings that are begun and not complete, at most `limit`: what is left of dead ones, and all that run.
   *
   * @throws MillraceError `storage_unavailable`
   */
  unfinished(options: {
    readonly limit: number;
    readonly timeoutMs: number;
  }): Promise<readonly UnfinishedRecording[]>;
}

export interface UnfinishedRecording {
  readonly spec: RecordingSpec;
  /** The highest attempt that wrote anything; 0 = none did. */
  readonly attempt: number;
  /** When something of it was written last, by the store's clock. */
  readonly writtenAtMs: number;
}
