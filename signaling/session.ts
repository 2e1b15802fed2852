import type { Identity } from '../core/auth/index.ts';
import type { Role } from '../core/channel/media.ts';
import {
  type CloseReason,
  MillraceError,
  type PublicSessionId,
  publicSessionId,
  type SessionId,
  type StreamName,
} from '../core/protocol/index.ts';
import type { Lifeline, NodeId, SessionHold, SessionRecord } from '../core/registry/record.ts';
import type { StreamEvent } from './events.ts';
import { StreamSerial } from './stream-serial.ts';

/** What a session does with one stream, and on which media server. */
export interface StreamHold {
  readonly publish?: { readonly node: NodeId; readonly epoch: number };
  readonly play?: { readonly node: NodeId };
}

/** The socket that a session is attached to, as far as the session needs it. */
export interface SessionSocket {
  readonly events: boolean;
  sendEvent(event: StreamEvent): void;
  close(reason: CloseReason, text: string): void;
}

const MAX_MISSED_EVENTS = 32;

/**
 * One client's session: what it holds, and the socket it is attached to if it lives by one. Idle sessions are
 * many: what most of them never need is made when it is first needed.
 */
export class Session {
  readonly id: SessionId;
  readonly subject: string;
  readonly livesBy: Lifeline;
  /** Of this process' hold on it, in difference to those that had it before. */
  readonly epoch: number;
  /** Of the token that its client showed last; undefined until its first request here. */
  identity: Identity | undefined;
  /** Who was told last that its token expires, and when (Unix time). */
  expiryTold: { readonly socket: SessionSocket; readonly atMs: number } | undefined;
  socket: SessionSocket | undefined;
  /** Whether its client, at its latest connection, asked for events. */
  events = false;
  attachedBefore = false;
  /** When the session last sent a heartbeat or came back; undefined until its first heartbeat. */
  heartbeatAtMs: number | undefined;
  /** When its socket went; undefined while it is attached. */
  detachedAtMs: number | undefined;
  /** Everything it held was released; nothing may be begun for it. */
  ended = false;
  #holds: Map<StreamName, StreamHold> | undefined;
  #serial: StreamSerial | undefined;
  #recordSerial: StreamSerial | undefined;
  #waits: Set<PlayWait> | undefined;
  #missed: StreamEvent[] | undefined;
  #lostUnseen = false;

  constructor(id: SessionId, subject: string, livesBy: Lifeline = 'socket', epoch = 0) {
    this.id = id;
    this.subject = subject;
    this.livesBy = livesBy;
    this.epoch = epoch;
  }

  /** Whether what it lives by is there; media that is being set up is. */
  get connected(): boolean {
    if (this.livesBy === 'socket') return this.socket !== undefined;
    return this.streamCount > 0 || this.#serial?.idle === false;
  }

  /** For logs and people: tells sessions apart, and cannot be used to take one over. */
  get publicId(): PublicSessionId {
    return publicSessionId(this.id);
  }

  serially<Result>(stream: StreamName, work: () => Promise<Result>): Promise<Result> {
    this.#serial ??= new StreamSerial();
    return this.#serial.run(stream, work);
  }

  /** After what was asked for the stream before, and holding up nothing that is asked for it later. */
  recordSerially<Result>(stream: StreamName, work: () => Promise<Result>): Promise<Result> {
    const turn = this.serially(stream, async () => {});
    this.#recordSerial ??= new StreamSerial();
    return this.#recordSerial.run(stream, async () => {
      await turn;
      return work();
    });
  }

  hold(stream: StreamName): StreamHold | undefined {
    return this.#holds?.get(stream);
  }

  get streamCount(): number {
    return this.#holds?.size ?? 0;
  }

  /** @throws MillraceError `too_many` when this would be one stream more than `limit` */
  demandRoomFor(stream: StreamName, limit: number): void {
    if (this.hold(stream) === undefined && this.streamCount >= limit) {
      throw new MillraceError(
        'too_many',
        `this session already has ${limit} streams, the most that one may have; close one first`,
      );
    }
  }

  setHold(stream: StreamName, hold: StreamHold): void {
    this.#holds ??= new Map();
    this.#holds.set(stream, { ...this.#holds.get(stream), ...hold });
  }

  /** @param epoch only a publish of this epoch is dropped; absent = whatever is held */
  dropHold(stream: StreamName, role: Role, epoch?: number): boolean {
    const hold = this.#holds?.get(stream);
    if (hold?.[role] === undefined) return false;
    if (role === 'publish' && epoch !== undefined && hold.publish?.epoch !== epoch) return false;
    const rest =
      role === 'publish' ? hold.play && { play: hold.play } : hold.publish && { publish: hold.publish };
    if (rest === undefined) this.#holds?.delete(stream);
    else this.#holds?.set(stream, rest);
    return true;
  }

  /** Everything it holds, a publish before the play of the same stream. */
  holds(): SessionHold[] {
    const holds: SessionHold[] = [];
    for (const [stream, { publish, play }] of this.#holds ?? []) {
      if (publish !== undefined) holds.push({ stream, role: 'publish', node: publish.node });
      if (play !== undefined) holds.push({ stream, role: 'play', node: play.node });
    }
    return holds;
  }

  /** The media servers that hold something for it. */
  nodes(): Set<NodeId> {
    return new Set(this.holds().map((hold) => hold.node));
  }

  addWait(wait: PlayWait): void {
    this.#waits ??= new Set();
    this.#waits.add(wait);
  }

  removeWait(wait: PlayWait): void {
    this.#waits?.delete(wait);
  }

  /** Ends the plays that still wait for a stream. @returns whether there were any */
  endWaits(stream?: StreamName): boolean {
    let ended = false;
    for (const wait of this.#waits ?? []) {
      if (stream !== undefined && wait.stream !== stream) continue;
      wait.end();
      ended = true;
    }
    return ended;
  }

  /** Tells the client, now or when it is back; the oldest events are dropped when many wait. */
  tell(event: StreamEvent): void {
    if (this.socket !== undefined) {
      if (this.events) this.socket.sendEvent(event);
    } else if (this.events) {
      this.#missed ??= [];
      this.#missed.push(event);
      if (this.#missed.length > MAX_MISSED_EVENTS) this.#missed.shift();
    }
  }

  /** Media is gone in a way that the client's own transport does not show. */
  tellLost(event: StreamEvent): void {
    if (this.events) this.tell(event);
    else this.#lostUnseen = true;
    this.closeIfLost();
  }

  /** A client without events learns of such a loss by the end of its socket. */
  closeIfLost(): void {
    if (!this.#lostUnseen || this.socket === undefined) return;
    this.#lostUnseen = false;
    this.socket.close('service_restart', 'media was lost; connect again and start over');
  }

  takeMissed(): readonly StreamEvent[] {
    const missed = this.#missed ?? [];
    this.#missed = undefined;
    return missed;
  }

  record(signaling: string): SessionRecord {
    return {
      id: this.id,
      subject: this.subject,
      livesBy: this.livesBy,
      signaling,
      epoch: this.epoch,
      connected: this.connected,
      events: this.events,
      holds: this.holds(),
    };
  }
}

/** A play that waits for its stream. */
export interface PlayWait {
  readonly stream: StreamName;
  end(): void;
}
