import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import {
  type CloseReason,
  MillraceError,
  newSessionId,
  type SessionId,
  toMillraceError,
} from '../core/protocol/index.ts';
import type { Lifeline, NodeId, SessionRecord } from '../core/registry/record.ts';
import type { MediaLinks } from './media-links.ts';
import { Session, type SessionSocket } from './session.ts';
import type { SessionRecords } from './session-records.ts';
import type { SignalingSettings } from './settings.ts';

interface SessionClose {
  readonly reason: CloseReason;
  readonly text: string;
}

const ENDED: SessionClose = { reason: 'session_ended', text: 'this session was ended' };
const RELEASE_TIMEOUT_MS = 5000;
const RELEASE_ATTEMPTS = 3;

/** All sessions of this process, from their first request to their release. */
export class SessionStore {
  readonly #settings: SignalingSettings;
  readonly #records: SessionRecords;
  readonly #links: MediaLinks;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #sessions = new Map<SessionId, Session>();

  constructor(options: {
    settings: SignalingSettings;
    records: SessionRecords;
    links: MediaLinks;
    now: () => number;
    log: Logger;
  }) {
    this.#settings = options.settings;
    this.#records = options.records;
    this.#links = options.links;
    this.#now = options.now;
    this.#log = options.log;
  }

  get(id: SessionId): Session | undefined {
    return this.#sessions.get(id);
  }

  byPublicId(id: string): Session | undefined {
    for (const session of this.#sessions.values()) if (session.publicId === id) return session;
    return undefined;
  }

  all(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  count(): { attached: number; detached: number } {
    let attached = 0;
    for (const session of this.#sessions.values()) if (session.connected) attached += 1;
    return { attached, detached: this.#sessions.size - attached };
  }

  /** @throws MillraceError `too_many` */
  open(subject: string, livesBy: Lifeline = 'socket'): Session {
    const session = this.#add(new Session(newSessionId(randomBytes), subject, livesBy));
    this.#log.info({ session: session.publicId, subject, livesBy }, 'session opened');
    return session;
  }

  /**
   * A session that another signaling process served, with what it held; the registry gave it to this one.
   * @param from the other one
   * @throws MillraceError `too_many`
   */
  adopt(record: SessionRecord, epochs: ReadonlyMap<string, number>, from: string): Session {
    const { id, subject, livesBy, epoch: ownEpoch } = record;
    const session = this.#add(new Session(id, subject, livesBy, ownEpoch));
    for (const { stream, role, node } of record.holds) {
      const epoch = epochs.get(stream);
      if (role === 'play') session.setHold(stream, { play: { node } });
      else if (epoch !== undefined) session.setHold(stream, { publish: { node, epoch } });
    }
    session.events = record.events;
    this.#log.info({ session: session.publicId, from }, 'session adopted');
    return session;
  }

  #add(session: Session): Session {
    const limit = this.#settings.limits.sessions;
    if (this.#sessions.size >= limit) this.#dropIdle();
    if (this.#sessions.size >= limit) {
      throw new MillraceError(
        'too_many',
        `this server already has ${limit} sessions, the most that it takes; try again later`,
      );
    }
    session.detachedAtMs = this.#now();
    this.#sessions.set(session.id, session);
    return session;
  }

  /** Makes room: a session that holds nothing and has no client loses nothing. */
  #dropIdle(): void {
    for (const session of this.#sessions.values()) {
      if (session.connected || session.streamCount > 0) continue;
      void this.end(session, 'room was needed');
      return;
    }
  }

  /** Attaches a session to a socket; an older socket of the session is closed. Its media never stops. */
  attach(session: Session, socket: SessionSocket): void {
    const older = session.socket;
    if (older === socket) return;
    // Nobody would set the answers to what the older socket's client offered.
    session.endWaits();
    session.socket = socket;
    session.events = socket.events;
    session.detachedAtMs = undefined;
    if (session.heartbeatAtMs !== undefined) session.heartbeatAtMs = this.#now();
    older?.close('session_taken_over', 'another connection took this session over');
    if (older !== undefined) this.#log.info({ session: session.publicId }, 'session taken over');
    else if (session.attachedBefore) this.#log.info({ session: session.publicId }, 'session resumed');
    session.attachedBefore = true;
    void this.#records.save(session);
    for (const event of session.takeMissed()) session.tell(event);
  }

  /** The socket is gone, or serves another session now. */
  detach(session: Session, socket: SessionSocket): void {
    if (session.socket !== socket) return;
    session.socket = undefined;
    session.detachedAtMs = this.#now();
    session.endWaits();
    this.#log.info({ session: session.publicId, streams: session.streamCount }, 'session detached');
    void this.#records.save(session);
  }

  /** Ends what is over: clients that stopped their heartbeats, sessions nobody came back for, or without media. */
  sweep(): void {
    const now = this.#now();
    const { heartbeatTimeoutMs, resumeMs } = this.#settings;
    for (const session of this.#sessions.values()) {
      if (session.livesBy === 'media') {
        if (!session.connected) void this.end(session, 'its media ended');
      } else if (session.detachedAtMs !== undefined) {
        if (now - session.detachedAtMs >= resumeMs) void this.end(session, 'not resumed');
      } else if (session.heartbeatAtMs !== undefined && now - session.heartbeatAtMs >= heartbeatTimeoutMs) {
        const { socket } = session;
        if (socket === undefined) continue;
        this.#log.info({ session: session.publicId }, 'no heartbeat');
        socket.close('heartbeat_timeout', `no heartbeat for ${heartbeatTimeoutMs} ms; connect and resume`);
        this.detach(session, socket);
      }
    }
  }

  /** Another process has the session, and all that it holds: only what is here of it ends. */
  yield(session: Session): void {
    if (session.ended) return;
    session.ended = true;
    if (this.#sessions.get(session.id) === session) this.#sessions.delete(session.id);
    session.endWaits();
    this.#log.info({ session: session.publicId }, 'session taken by another signaling process');
    session.socket?.close('session_taken_over', 'another connection took this session over');
  }

  /**
   * Releases everything the session holds, everywhere, and forgets it.
   * @param why for the log
   * @param close what its client is told
   */
  async end(session: Session, why: string, close: SessionClose = ENDED): Promise<void> {
    if (session.ended) return;
    session.ended = true;
    this.#sessions.delete(session.id);
    session.endWaits();
    const nodes = session.nodes();
    this.#log.info({ session: session.publicId, streams: session.streamCount, why }, 'session released');
    session.socket?.close(close.reason, close.text);
    await Promise.all([
      this.#records.delete(session),
      ...[...nodes].map((node) => this.release(session, node)),
    ]);
  }

  /** Ends everything that the session holds on one media server. Never rejects. */
  async release(session: Session, node: NodeId): Promise<void> {
    for (let attempt = 1; attempt <= RELEASE_ATTEMPTS; attempt += 1) {
      try {
        await this.#links.call(node, 'release', { session: session.id }, RELEASE_TIMEOUT_MS);
        return;
      } catch (error) {
        this.#log.warn({ session: session.publicId, node, attempt, err: error }, 'session not released');
        // A media server that is gone holds nothing any more.
        if (toMillraceError(error).errorName !== 'timed_out') return;
      }
    }
  }

  /** Forgets the sessions here and leaves their records, so that another process can adopt them. */
  async leave(): Promise<void> {
    const sessions = [...this.#sessions.values()];
    for (const session of sessions) session.endWaits();
    await Promise.all(sessions.map((session) => this.#records.save(session)));
  }
}
