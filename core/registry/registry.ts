import type { Track } from '../channel/media.ts';
import type { SessionId } from '../protocol/session-id.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import type {
  RecordingId,
  RecordingProgress,
  RecordingRecord,
  RecordingSpec,
} from '../recording/recording.ts';
import type { NodeEntry, NodeId, NodeRecord, SessionRecord, StreamRecord } from './record.ts';

/** Lease of a node, renewed every second by its announcement. */
export const NODE_LEASE_MS = 3000;

/** How long one observer's evidence of a node's death waits for another's. */
export const NODE_EVIDENCE_MS = 3000;
/**
 * For so long a registry that may have lost something is told what there is, before it says of anything that it
 * is not there, or gives away a name that it does not know.
 */
export const REGISTRY_RECOVERY_MS = 5000;

/** How long a deleted session is remembered, against what is written late. */
export const SESSION_FENCED_MS = 60_000;

/** Lease of a recording's host, renewed by all that it says of the recording. */
export const RECORDING_LEASE_MS = 5000;
/** For how long a host is the one that sweeps storage, after it last said so. */
export const SWEEP_LEASE_MS = 5000;
/** How long a recording that has ended is remembered. */
export const RECORDING_KEPT_MS = 24 * 60 * 60 * 1000;

/** What is kept, and can be lost, together. Nodes go with the streams. */
export type RegistryPart = 'streams' | 'sessions' | 'recordings';

export interface StreamClaim {
  readonly name: StreamName;
  readonly node: NodeId;
  readonly session: SessionId;
  readonly subject: string;
  /**
   * The epoch of the holder that this claim may displace, seen by the caller with evidence that it is gone
   * or is the caller's own. The claim fails if the stream is held with another epoch by then; of a stream
   * that nobody holds any more it says nothing.
   */
  readonly displaces?: number;
}

export type ClaimResult =
  | { readonly granted: true; readonly epoch: number }
  | { readonly granted: false; readonly holder: StreamRecord };

export type StreamChange =
  /** Somebody holds the stream; its tracks are not known yet. A higher epoch than before = another holder. */
  | { readonly type: 'claimed'; readonly stream: StreamRecord }
  /** Somebody holds the stream, and has said what it carries: it can be played. */
  | { readonly type: 'described'; readonly stream: StreamRecord }
  /** Nobody holds the stream. A displaced holder is not released: what its successor does is told instead. */
  | { readonly type: 'released'; readonly name: StreamName; readonly epoch: number };

export interface SessionTaken {
  /** As it was, with its new holder and epoch. */
  readonly session: SessionRecord;
  /** The signaling process that had it. */
  readonly from: string;
}

export type EnterResult =
  | { readonly entered: true; readonly record: RecordingRecord }
  /** The recording that has the key, or the id. */
  | { readonly entered: false; readonly holder: RecordingRecord };

export interface RecordingTake {
  readonly id: RecordingId;
  /** The process that launches the attempt. */
  readonly host: string;
  /** The attempt that the caller knows as the last; the take fails if it is another by then. */
  readonly seen: number;
  /** The highest attempt that storage tells of, which a registry that lost the recording knows nothing of. */
  readonly stored?: number;
  /** A host that the caller knows to be fenced or withdrawn: its lease holds no more. */
  readonly gone?: string;
}

export interface RecordingPage {
  /** Behind this one; nothing is behind one that is not known (any more). Absent = from the newest. */
  readonly after?: RecordingId;
  readonly limit: number;
  readonly stream?: StreamName;
}

export interface StreamPage extends Page {
  /** Only what this node is said to hold. */
  readonly node?: NodeId;
}

export interface Page {
  /** Names or ids behind this one; absent = from the first. It need not exist. */
  readonly after?: string;
  readonly limit: number;
}

/**
 * The shared index of nodes, streams, sessions and recordings. Media servers are the truth about streams, and
 * storage about recordings; the registry says who holds what. Every transition is atomic and fenced by an epoch. Time is the registry's own.
 *
 * Records are plain data: what the caller does with its own object afterwards changes nothing here.
 * Lists are ordered by code point.
 *
 * Every method throws MillraceError `registry_unavailable` within 1 s when the registry is out of reach, or may
 * have lost something less than `REGISTRY_RECOVERY_MS` ago and does not know what it is asked about, and after
 * `close`. A change that failed so may have happened all the same. Only watches outlast all that, in silence.
 */
export interface Registry {
  /**
   * Announces a node or renews its lease of `NODE_LEASE_MS`.
   * @returns false when this incarnation was fenced or withdrawn: it never returns
   */
  announceNode(node: NodeRecord): Promise<boolean>;
  /** All nodes that are neither withdrawn nor fenced, ordered by id, suspect ones marked. */
  nodes(): Promise<readonly NodeEntry[]>;
  /** The node left in good order: it is forgotten, with the streams it still holds. A late announcement of it is refused. */
  withdrawNode(id: NodeId): Promise<void>;
  /** On evidence of its death: the node and its streams are gone at once, and this incarnation is refused from now on. */
  fenceNode(id: NodeId): Promise<void>;
  /**
   * An observer has evidence of a node's death. Two different ones within `NODE_EVIDENCE_MS` fence it, and so
   * does one if its lease has run out. What is not announced is not reported.
   * @returns whether it is fenced or withdrawn, by this or before
   */
  reportDeadNode(id: NodeId, observer: string): Promise<boolean>;

  /**
   * Claims a stream for a session on a node. Granted when nobody holds the name, or when `displaces` names
   * the holder's epoch. A holder on a suspect node still holds: whoever takes the lapse for evidence says so
   * with `displaces`. The epoch is max(registry time in µs, stored + 1), so it grows with every claim of a
   * name, released and reannounced ones included.
   * @throws MillraceError `no_media_server` when the claiming node is not announced, fenced or withdrawn
   */
  claimStream(claim: StreamClaim): Promise<ClaimResult>;
  /** Sets the tracks of a stream. @returns false when the epoch is not the holder's; nothing happens then */
  describeStream(name: StreamName, epoch: number, tracks: readonly Track[]): Promise<boolean>;
  /** Gives a stream up. @returns false when the epoch is not the holder's; nothing happens then */
  releaseStream(name: StreamName, epoch: number): Promise<boolean>;
  /**
   * A holder announces again what it holds, to a registry that lost it. Of two that announce one stream the
   * higher epoch wins. What the registry holds with this epoch already is brought up to date.
   * @returns false when a higher epoch is known, when this one was released, or when the node was fenced or
   *   withdrawn: the caller must stop that stream
   * @throws MillraceError `no_media_server` when the node is not announced: announce it first
   */
  reannounceStream(stream: StreamRecord): Promise<boolean>;
  findStream(name: StreamName): Promise<StreamRecord | undefined>;
  /** At most `limit` streams ordered by name. */
  streams(page: StreamPage): Promise<readonly StreamRecord[]>;
  /**
   * Tells of a stream as it is, if somebody holds it, and then of its changes, in order; never before
   * this function has returned. So whoever waits for a stream misses nothing. The listener must not throw.
   * @returns the way to stop; nothing is told afterwards
   */
  watchStream(name: StreamName, listener: (change: StreamChange) => void): () => void;

  /**
   * Writes a session and keeps it for `ttlMs` from now.
   * @returns false when it was deleted, or another process has it, by a higher epoch or by the same: the caller
   *   must let go of it
   */
  saveSession(session: SessionRecord, ttlMs: number): Promise<boolean>;
  findSession(id: SessionId): Promise<SessionRecord | undefined>;
  /**
   * Makes a signaling process the one that has the session, with a higher epoch, whoever had it before; keeps
   * it for `ttlMs` from now. @returns undefined when there is no such session
   */
  takeSession(id: SessionId, signaling: string, ttlMs: number): Promise<SessionTaken | undefined>;
  /** Deletes a session for good. @returns false when another process has it, by a higher epoch */
  deleteSession(id: SessionId, epoch: number): Promise<boolean>;
  /** At most `limit` sessions ordered by id. */
  sessions(page: Page): Promise<readonly SessionRecord[]>;

  /**
   * Enters a recording whose recorders `host` launches; it has attempt 0, state `starting`. Entered again by
   * the host that it has, it stays as it is.
   * @returns the holder when a recording that has not ended has the key, or when another host has the id, or it has ended
   */
  enterRecording(spec: RecordingSpec, host: string): Promise<EnterResult>;
  /**
   * Begins the next attempt, max(attempt, `stored`) + 1. Granted to the host that has it, and to any other once
   * that one's lease of `RECORDING_LEASE_MS` has run out, or at once when it is `gone`. What its earlier attempts say from now on is refused.
   * @returns undefined when it is unknown, has ended, has another attempt than `seen`, or another host's lease holds
   */
  takeRecording(take: RecordingTake): Promise<RecordingRecord | undefined>;
  /**
   * Sets what the recording's attempt says, and renews its host's lease. `completed` and `failed` end the
   * recording: it is forgotten after `RECORDING_KEPT_MS`, and its key is free for others.
   * @returns false when it is unknown, has ended, or has another attempt: that one must give up
   */
  saveRecording(id: RecordingId, attempt: number, progress: RecordingProgress): Promise<boolean>;
  /**
   * Whether this attempt may complete the file: it is the last that began. Asked again, the answer is the same
   * until a later attempt begins, after the recording has ended too.
   */
  grantFinish(id: RecordingId, attempt: number): Promise<boolean>;
  /**
   * A host announces again a recording that it has, to a registry that lost it. Of two that announce one
   * recording the higher attempt wins. What the registry has with this host and attempt is brought up to date,
   * and its lease renewed.
   * @returns false when a higher attempt is known, or this one is another host's, or has ended: the caller must
   *   give it up
   */
  reannounceRecording(recording: RecordingRecord): Promise<boolean>;
  /**
   * One host at a time looks in storage for recordings that nobody has: granted to the one that has the lease of
   * `SWEEP_LEASE_MS`, which this renews, and to any other when that has run out.
   */
  leaseSweep(host: string): Promise<boolean>;
  /** Forgets a recording, whatever its state. @returns false when it is unknown or has another attempt */
  forgetRecording(id: RecordingId, attempt: number): Promise<boolean>;
  findRecording(id: RecordingId): Promise<RecordingRecord | undefined>;
  /** At most `limit` recordings, those requested last first; of the same millisecond the higher id first. */
  recordings(page: RecordingPage): Promise<readonly RecordingRecord[]>;

  /**
   * The registry may have lost what it was told of a part: it came back empty or as it was some time ago, or
   * another took its place. Whoever holds something of it announces all of that again. @returns the way to stop
   */
  onLoss(part: RegistryPart, listener: () => void): () => void;

  /** Lets go of the registry; watches end. Deletes nothing. Once closed, closing does nothing. */
  close(): Promise<void>;
}
