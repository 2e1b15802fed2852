import type {
  RecordingEpoch,
  RecordingId,
  RecordingProgress,
  RecordingSpec,
} from '../recording/recording.ts';
import type { StorageEffort } from '../recording/storage-effort.ts';
import type { CallHandlers, Channel } from './channel.ts';

/**
 * What a recorder says to its home, the process that launched it or any that knows the registry, and what
 * it is told there. A home that is away changes nothing: a recorder goes on with what it was told last.
 */
export type RecorderCalls = {
  /** Twice a second, and at each change of state. The reply says what to do now. */
  report: { request: RecorderReport; reply: RecorderOrders };
  /**
   * Asks to be the one that completes the file. Granted once an attempt, and to no earlier attempt after a
   * later one has begun; the same asker is granted again.
   */
  finish: {
    request: { readonly recording: RecordingId; readonly epoch: RecordingEpoch };
    reply: { readonly granted: boolean };
  };
};

export interface RecorderReport {
  readonly recording: RecordingId;
  readonly attempt: number;
  readonly progress: RecordingProgress;
  /** Set by one that was told to go (SIGTERM): a successor is to be started. */
  readonly leaving: boolean;
  /** Has media from its source, though it may not write yet: its predecessor may go. */
  readonly receiving: boolean;
  /** Since its last packet of media, or since it began while there was none. */
  readonly silentMs: number;
  /** Since the report before; what is in a report that home does not get, nobody counts. */
  readonly storage?: StorageEffort;
}

export interface RecorderOrders {
  /** `superseded`: another attempt has taken over; flush nothing more and go. */
  readonly todo: 'record' | 'stop' | 'superseded';
  /** Where the stream is published now; null while nobody does. */
  readonly source: StreamSource | null;
  /** An earlier attempt still writes: receive, but do not write before it has gone. */
  readonly waitForPredecessor: boolean;
  /** A successor has media: flush and go, without finishing. */
  readonly handOver: boolean;
}

/** Where a stream can be had. */
export interface StreamSource {
  /** Address of the media server's internal channel. */
  readonly address: string;
  /** Epoch of the stream's claim. */
  readonly epoch: number;
}

/** Told when orders change, without being asked. */
export interface RecorderNotice {
  readonly type: 'orders';
  readonly recording: RecordingId;
  readonly orders: RecorderOrders;
}

export type RecorderChannel = Channel<RecorderCalls, RecorderNotice>;
export type RecorderHandlers = CallHandlers<RecorderCalls>;

/** What one attempt is started with: JSON in the environment variable `ATTEMPT_VARIABLE`. */
export interface RecorderAttempt {
  readonly spec: RecordingSpec;
  /** From 1. */
  readonly attempt: number;
  /** Address of home's internal channel. */
  readonly home: string;
  /** What is to be done until home says otherwise. `stop`: nothing is received, what storage has is completed. */
  readonly orders: RecorderOrders;
}

export const ATTEMPT_VARIABLE = 'MILLRACE_RECORDER_ATTEMPT';
/** The token with which a recorder opens channels. */
export const TOKEN_VARIABLE = 'MILLRACE_RECORDER_TOKEN';

/** How `millrace recorder` ends; by any other code or by a signal it has died, and a successor is wanted. */
export const RECORDER_EXIT = {
  /** The file is complete, and home was told, or could not be. */
  completed: 0,
  /** What it started with cannot be read; 2 as for all wrong settings. */
  wrongSettings: 2,
  /** As told, or as home is gone: everything is durable, nothing is completed. */
  left: 10,
  /** The recording failed for good. */
  failed: 11,
} as const;
