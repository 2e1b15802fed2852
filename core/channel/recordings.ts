import type { RecordingRequest } from '../recording/launcher.ts';
import type { RecordingId, RecordingRecord } from '../recording/recording.ts';
import type { CallHandlers, Channel } from './channel.ts';

/**
 * What signaling asks of a process that runs recordings. Who has which recording, and how it fares, stands in
 * the registry.
 */
export type RecordingCalls = {
  /** As `RecorderLauncher.start`. @throws MillraceError as that does; `storage_unavailable` when `store` is not its own */
  start: { request: RecordingStart; reply: RecordingRecord };
  /**
   * As `RecorderLauncher.stop`, of one recording; taken over first where its own host is dead.
   *
   * @throws MillraceError `recording_not_running` when another process has it
   */
  stop: { request: RecordingStop; reply: RecordingRecord };
};

export interface RecordingStart extends RecordingRequest {
  /** The store that the caller reads finished files from. */
  readonly store: string;
}

export interface RecordingStop {
  readonly recording: RecordingId;
  readonly timeoutMs: number;
}

/** It completed or failed. */
export interface RecordingNotice {
  readonly type: 'ended';
  readonly record: RecordingRecord;
}

export type RecordingChannel = Channel<RecordingCalls, RecordingNotice>;
export type RecordingHandlers = CallHandlers<RecordingCalls>;
