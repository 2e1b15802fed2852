import type { Track } from '../channel/media.ts';
import type { SessionId } from '../protocol/session-id.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import type { NodeId } from './node-id.ts';

export type { NodeId };

/** What one media server says of itself. */
export interface NodeRecord {
  readonly id: NodeId;
  /** Where its internal channel listens; `local` within one process. */
  readonly address: string;
  readonly version: string;
  readonly state: 'ready' | 'draining';
  /** 0 idle .. 1 full: the busiest of CPU, packets and bitrate against its limit. */
  readonly load: number;
  readonly streams: number;
  readonly viewers: number;
}

/** A node as the registry holds it. */
export interface NodeEntry extends NodeRecord {
  /** The lease ran out. That deletes nothing and stops no media; placement passes it by. */
  readonly suspect: boolean;
}

/** Who publishes a stream, and where. */
export interface StreamRecord {
  readonly name: StreamName;
  readonly node: NodeId;
  /** Grows with every claim, across an empty restart of the registry too. */
  readonly epoch: number;
  readonly session: SessionId;
  /** Token subject of the publisher; '' where authorisation is off. */
  readonly subject: string;
  /** Empty until the holder describes the stream. */
  readonly tracks: readonly Track[];
  /** When this claim was granted: the registry's time, in Unix milliseconds. */
  readonly sinceMs: number;
}

/**
 * What a session lives by. A client on a WebSocket may lose it and come back within the resume time; one of
 * WHIP or WHEP has nothing but its media, whose end (by its request, or by ICE consent) is the session's.
 */
export type Lifeline = 'socket' | 'media';

/** What a session needs to be taken over by any signaling process. */
export interface SessionRecord {
  readonly id: SessionId;
  readonly subject: string;
  readonly livesBy: Lifeline;
  /** The signaling process that serves it now. */
  readonly signaling: string;
  /** Of that process' hold on it: grows when another one takes it; 0 for the one that opened it. */
  readonly epoch: number;
  /** Whether a client's socket is attached. */
  readonly connected: boolean;
  /** Whether the client asked for events. */
  readonly events: boolean;
  readonly holds: readonly SessionHold[];
}

export interface SessionHold {
  readonly stream: StreamName;
  readonly role: 'publish' | 'play';
  readonly node: NodeId;
}
