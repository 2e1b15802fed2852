import type { StreamSource } from '../core/channel/recorder.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import type {
  RecordingEpoch,
  RecordingFile,
  RecordingProgress,
  RecordingSpec,
} from '../core/recording/recording.ts';
import type { StorageEffort } from '../core/recording/storage-effort.ts';

/**
 * What the supervisor of an attempt and its two children, receiver and muxer, say to each other: plain
 * objects over the IPC channel that Node gives a child process (`serialization: 'json'`). A child whose
 * channel disconnects has lost its supervisor and ends at once, whatever it was doing.
 *
 * A child says something at least every `SIGN_OF_LIFE_MS`; one that is silent for `HUNG_MS` is killed and
 * replaced.
 */
export const SIGN_OF_LIFE_MS = 500;
export const HUNG_MS = 2000;

/** To the receiver. `start` comes first, and once. */
export type ReceiverOrder =
  | {
      readonly type: 'start';
      readonly stream: StreamName;
      /** Unix socket that it listens at for muxers, one after another; the one that came last is served. */
      readonly socketPath: string;
      readonly source: StreamSource | null;
    }
  /** The stream is published elsewhere now, or by nobody; what it held before may go on until it ends. */
  | { readonly type: 'source'; readonly source: StreamSource | null };

/** From the receiver. */
export type ReceiverNotice =
  /** Its socket is there: a muxer may connect. */
  | { readonly type: 'ready' }
  /** Every `SIGN_OF_LIFE_MS`, and at once when `receiving` changes. */
  | {
      readonly type: 'alive';
      /** It pulls the stream now and has had a packet from that pull; a muted stream stays `true`. */
      readonly receiving: boolean;
      /** Since the last RTP packet, or since it began while there was none. */
      readonly silentMs: number;
      /** What hinders it now, for people. */
      readonly message?: string;
    };

/** To the muxer. `start` comes first, and once. */
export type MuxerOrder =
  | {
      readonly type: 'start';
      readonly spec: RecordingSpec;
      readonly epoch: RecordingEpoch;
      /** The receiver's; it may have to be tried again while a receiver is being replaced. */
      readonly socketPath: string;
      readonly mode: MuxerMode;
      /** Events that muxers of this attempt died of, the last one last. */
      readonly fatal?: readonly FatalEvent[];
    }
  /** In mode `wait`: the predecessor has gone; recover what it left and write. */
  | { readonly type: 'write' }
  /**
   * Nothing more is to be recorded: take no more from the receiver, write what there is, answer `flushed`
   * when all of it is durable. Asked for again, it answers again.
   */
  | { readonly type: 'flush' }
  /** Granted to this attempt: complete the file, answer `finished` or `failed`. Comes after `flushed`. */
  | { readonly type: 'finish' };

/**
 * `record`: recover and write. `wait`: receive, but touch nothing in storage before `write`. `finish`: there
 * is no receiver; recover what storage and spool have, and complete it.
 */
export type MuxerMode = 'record' | 'wait' | 'finish';

/** From the muxer. */
export type MuxerNotice =
  /** Every `SIGN_OF_LIFE_MS`, and at each change of state. Its state is never `completed` nor `failed`. */
  | { readonly type: 'progress'; readonly progress: RecordingProgress; readonly storage?: StorageEffort }
  /** The longest duration is reached: the recording is to end well. The muxer takes nothing more by itself. */
  | { readonly type: 'limit' }
  /** All that was received is durable. */
  | { readonly type: 'flushed' }
  /** Complete, checked and cleaned up. Without media there are no files, and nothing is left in storage. */
  | ({ readonly type: 'finished'; readonly files: readonly RecordingFile[] } & Partial<
      // Of all files together, where their muxer did not tell it before.
      Pick<RecordingProgress, 'startedAtMs' | 'gaps'>
    >)
  /**
   * It cannot go on. `again`: what hinders it may pass (storage is away), another muxer is to be started after
   * a while; else the recording has failed for good.
   */
  | {
      readonly type: 'failed';
      readonly message: string;
      readonly again: boolean;
      /** The receiver's event that it died of. */
      readonly fatal?: FatalEvent;
    };

/** An event of a receiver, to be known again when it is told again. */
export interface FatalEvent {
  readonly receiver: string;
  readonly atMs: number;
  readonly kind: string;
  readonly crc: number;
}
