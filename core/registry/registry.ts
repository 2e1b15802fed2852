import type { Track } from '../channel/media.ts';
import type { SessionId } from '../protocol/session-id.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import type { NodeEntry, NodeId, NodeRecord, SessionRecord, StreamRecord } from './record.ts';

/** Lease of a node, renewed every second by its announcement. */
export const NODE_LEASE_MS = 3000;

export interface StreamClaim {
  readonly name: StreamName;
  readonly node: NodeId;
  readonly session: SessionId;
  readonly subject: string;
  /**
   * The epoch of the holder that this claim may displace, seen by the caller with evidence that it is gone
   * or is the caller's own. The claim fails if the stream is held with another epoch by then.
   */
  readonly displaces?: number;
}

export type ClaimResult =
  | { readonly granted: true; readonly epoch: number }
  | { readonly granted: false; readonly holder: StreamRecord };

export type StreamChange =
  | { readonly type: 'claimed'; readonly stream: StreamRecord }
  | { readonly type: 'released'; readonly name: StreamName; readonly epoch: number };

/**
 * The shared index of nodes, streams and sessions. Media servers are the truth about streams; the registry
 * says who holds what. Every transition is atomic and fenced by an epoch. Time is the registry's own.
 *
 * Every method throws MillraceError `registry_unavailable` within 1 s when the registry is out of reach.
 */
export interface Registry {
  /**
   * Announces a node or renews its lease. A fenced incarnation never returns.
   * @returns false when this incarnation was fenced
   */
  announceNode(node: NodeRecord): Promise<boolean>;
  /** All nodes that are neither withdrawn nor fenced, suspect ones marked. */
  nodes(): Promise<readonly NodeEntry[]>;
  /** The node left in good order: it is forgotten, with the streams it still holds. */
  withdrawNode(id: NodeId): Promise<void>;
  /** On evidence of its death: the node and its streams are gone at once, and this incarnation is refused from now on. */
  fenceNode(id: NodeId): Promise<void>;

  /**
   * Claims a stream for a session on a node. Granted when nobody holds the name, when the holder's node is
   * fenced or unknown, or when `displaces` names the holder's epoch. The epoch is max(registry time in µs,
   * stored + 1).
   */
  claimStream(claim: StreamClaim): Promise<ClaimResult>;
  /** Sets the tracks of a stream. @returns false when the epoch is not the holder's */
  describeStream(name: StreamName, epoch: number, tracks: readonly Track[]): Promise<boolean>;
  /** Gives a stream up. @returns false when the epoch is not the holder's; nothing happens then */
  releaseStream(name: StreamName, epoch: number): Promise<boolean>;
  /**
   * A holder announces again what it holds, to a registry that lost it. Of two that announce one stream the
   * higher epoch wins.
   * @returns false when a higher epoch is known: the caller must stop that stream
   */
  reannounceStream(stream: StreamRecord): Promise<boolean>;
  findStream(name: StreamName): Promise<StreamRecord | undefined>;
  /** At most `limit` streams ordered by name, beginning behind `after`. */
  streams(page: { readonly after?: string; readonly limit: number }): Promise<readonly StreamRecord[]>;
  /** Changes of one stream, from now on. Returns the way to stop. */
  watchStream(name: StreamName, listener: (change: StreamChange) => void): () => void;

  /** Writes a session and keeps it for `ttlMs`. */
  saveSession(session: SessionRecord, ttlMs: number): Promise<void>;
  findSession(id: SessionId): Promise<SessionRecord | undefined>;
  deleteSession(id: SessionId): Promise<void>;
  /** At most `limit` sessions ordered by id, beginning behind `after`. */
  sessions(page: { readonly after?: string; readonly limit: number }): Promise<readonly SessionRecord[]>;

  close(): Promise<void>;
}
