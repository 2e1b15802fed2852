import type { StreamName } from '../protocol/stream-name.ts';
import type { RecordingId } from '../recording/recording.ts';
import type { CallHandlers, CallMap } from './channel.ts';

/**
 * What a process can be asked for over the internal channel: a media server by signaling (`media.ts`), by
 * whoever pulls streams from it (`pipes.ts`), a recorder's home by its recorder (`recorder.ts`), and by
 * signaling for recordings (`recordings.ts`).
 */
export const SERVICE_NAMES = ['media', 'pipes', 'recorder', 'recordings'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** Who is at the other end of a connection, as it has proved. */
export interface PeerIdentity {
  /** The recorder of this one recording; absent = another process of the cluster. */
  readonly recording?: RecordingId;
  /** What that recorder may pull. */
  readonly stream?: StreamName;
}

/** The calling end of a connection, as those who answer it see it. */
export interface Peer<Notice> {
  readonly identity: PeerIdentity;
  /** Sends a notice. Nothing happens when the connection is gone. */
  notify(notice: Notice): void;
  /** Called once, when the connection is gone for good; soon, if it is gone already. */
  onClose(listener: () => void): void;
}

/** Called once for each connection: what answers its calls, and ends with it. */
export type Serve<Calls extends CallMap, Notice> = (peer: Peer<Notice>) => CallHandlers<Calls>;
