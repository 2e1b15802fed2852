import type { StreamName } from '../protocol/stream-name.ts';
import type { RecordingId, RecordingKey, RecordingRecord, RecordingSpec } from './recording.ts';

/**
 * Runs recordings: a recorder for each, the next one when it dies, until it is stopped, its stream has
 * ended, or its limit is reached. Its forms: child processes, or a resource of a cluster.
 */
export interface RecorderLauncher {
  /**
   * Starts a recording and waits for its first media. The same stream and key by the same subject again
   * returns the recording that runs already: a retry is safe.
   *
   * @throws MillraceError `name_taken` when another recording or object has the key, `stream_not_found`,
   *   `codec_not_recordable`, `storage_unavailable`, `too_many`, `timed_out` when no media came in time;
   *   nothing is left behind then, in storage neither; after `timed_out` that is so when for 10 s nobody has
   *   asked again and no media has come
   */
  start(request: RecordingRequest): Promise<RecordingRecord>;
  /**
   * Ends recordings and waits until each file is complete and checked; those that end already are waited
   * for too.
   *
   * @throws MillraceError `timed_out` when a file is not complete in time; it is completed all the same
   */
  stop(
    ids: readonly RecordingId[],
    options: { readonly timeoutMs: number },
  ): Promise<readonly RecordingRecord[]>;
  /** Those that run, and those that ended in the last 24 h, newest first. At most `limit`, behind `after`. */
  list(page: {
    readonly after?: RecordingId;
    readonly limit: number;
    readonly stream?: StreamName;
  }): Promise<readonly RecordingRecord[]>;
  find(id: RecordingId): Promise<RecordingRecord | undefined>;
  /** Told once of each recording that completed or failed. The listener must not throw. @returns the way to stop */
  onEnded(listener: (record: RecordingRecord) => void): () => void;
}

export interface RecordingRequest {
  readonly stream: StreamName;
  readonly key: RecordingKey;
  readonly subject: string;
  readonly origin?: RecordingSpec['origin'];
  readonly timeoutMs: number;
  readonly maxDurationMs?: number;
}
