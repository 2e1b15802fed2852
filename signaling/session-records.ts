import type { Logger } from 'pino';
import { type SessionId, toMillraceError } from '../core/protocol/index.ts';
import type { Registry, SessionTaken } from '../core/registry/registry.ts';
import type { Session } from './session.ts';

interface RecordState {
  /** The record in the registry is older than the session. */
  stale: boolean;
  writing: Promise<void> | undefined;
  /** When it is written again, whether to renew it or to try once more. */
  dueAtMs: number;
}

const RETRY_MS = 1000;

/**
 * Keeps sessions' records in the registry up to date, without anybody having to wait for that: what cannot be
 * written now is tried again, and a session goes on meanwhile.
 */
export class SessionRecords {
  readonly #registry: Registry;
  readonly #signaling: string;
  readonly #resumeMs: number;
  readonly #now: () => number;
  readonly #onTaken: (session: Session) => void;
  readonly #log: Logger;
  readonly #states = new Map<Session, RecordState>();
  #away = false;

  constructor(options: {
    registry: Registry;
    signaling: string;
    resumeMs: number;
    now: () => number;
    /** Another process has the session now. */
    onTaken: (session: Session) => void;
    log: Logger;
  }) {
    this.#registry = options.registry;
    this.#signaling = options.signaling;
    this.#resumeMs = options.resumeMs;
    this.#now = options.now;
    this.#onTaken = options.onTaken;
    this.#log = options.log;
  }

  /** Makes this process the one that has a session which another one had; undefined = there is none. */
  take(id: SessionId): Promise<SessionTaken | undefined> {
    return this.#registry.takeSession(id, this.#signaling, this.#lifeMs);
  }

  /** All are to be written again: the registry may have lost them. */
  renewAll(): void {
    for (const state of this.#states.values()) {
      state.stale = true;
      state.dueAtMs = 0;
    }
  }

  /** Resolves after one attempt, whether it succeeded or not; never rejects. */
  save(session: Session): Promise<void> {
    if (session.ended) return Promise.resolve();
    let state = this.#states.get(session);
    if (state === undefined) {
      state = { stale: false, writing: undefined, dueAtMs: 0 };
      this.#states.set(session, state);
    }
    state.stale = true;
    state.writing ??= this.#write(session, state);
    return state.writing;
  }

  async delete(session: Session): Promise<void> {
    await this.#states.get(session)?.writing;
    this.#states.delete(session);
    try {
      await this.#registry.deleteSession(session.id, session.epoch);
    } catch (error) {
      // The record runs out by itself.
      this.#log.debug({ session: session.publicId, err: error }, 'session record not deleted');
    }
  }

  /** Renews records and tries again what could not be written. */
  sweep(): void {
    const now = this.#now();
    for (const [session, state] of this.#states) {
      if (state.writing !== undefined || now < state.dueAtMs) continue;
      if (state.stale || session.connected) void this.save(session);
    }
  }

  /** Half a resume time to the next renewal, and a whole one after it. */
  get #lifeMs(): number {
    return this.#resumeMs * 1.5;
  }

  async #write(session: Session, state: RecordState): Promise<void> {
    try {
      while (state.stale && !session.ended) {
        state.stale = false;
        state.dueAtMs = this.#now() + this.#resumeMs / 2;
        if (await this.#registry.saveSession(session.record(this.#signaling), this.#lifeMs)) continue;
        this.#states.delete(session);
        if (!session.ended) this.#onTaken(session);
        return;
      }
      if (this.#away) this.#log.info('session records are written again');
      this.#away = false;
    } catch (error) {
      state.stale = true;
      state.dueAtMs = this.#now() + RETRY_MS;
      if (!this.#away) this.#log.warn({ err: toMillraceError(error) }, 'session records cannot be written');
      this.#away = true;
    } finally {
      state.writing = undefined;
    }
  }
}
