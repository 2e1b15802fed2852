import type { Logger } from 'pino';
import type { Identity } from '../core/auth/index.ts';
import { MillraceError, toMillraceError } from '../core/protocol/index.ts';
import type { SessionHold } from '../core/registry/record.ts';
import type { MediaLinks } from './media-links.ts';
import type { Session } from './session.ts';
import type { SessionRecords } from './session-records.ts';
import type { SessionStore } from './session-store.ts';

/** How long before its token expires a session's client is told. */
const NOTICE_MS = 30_000;
/** How long it is given to show another, before it is told again. */
const REPEAT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5000;
const CLOSE_ATTEMPTS = 3;

/** What sessions' tokens allow as time goes by: renewal, fewer rights, expiry. */
export class SessionTokens {
  readonly #graceMs: number;
  readonly #sessions: SessionStore;
  readonly #records: SessionRecords;
  readonly #links: MediaLinks;
  readonly #wallClock: () => number;
  readonly #log: Logger;

  /** @param options.wallClock Unix time in ms, which is what tokens expire by */
  constructor(options: {
    graceMs: number;
    sessions: SessionStore;
    records: SessionRecords;
    links: MediaLinks;
    wallClock: () => number;
    log: Logger;
  }) {
    this.#graceMs = options.graceMs;
    this.#sessions = options.sessions;
    this.#records = options.records;
    this.#links = options.links;
    this.#wallClock = options.wallClock;
    this.#log = options.log;
  }

  /** @throws MillraceError `token_revoked`; `token_expired` once the grace is over */
  demandCurrent({ expiresAtMs, revoked }: Identity): void {
    if (revoked?.()) {
      throw new MillraceError('token_revoked', 'your token was taken back; show another one as "token"');
    }
    if (expiresAtMs === undefined || this.#wallClock() < expiresAtMs + this.#graceMs) return;
    throw new MillraceError('token_expired', 'your token has expired; get a new one and show it as "token"');
  }

  /** From now on the session goes by this token. */
  accept(session: Session, identity: Identity): void {
    if (session.identity === identity) return;
    session.identity = identity;
    this.endForbidden(session);
  }

  /** Ends what the session holds and its token does not allow. */
  endForbidden(session: Session): void {
    for (const hold of session.holds()) {
      if (isForbidden(session, hold)) void session.serially(hold.stream, () => this.#endHold(session, hold));
    }
  }

  sweep(): void {
    const now = this.#wallClock();
    for (const session of this.#sessions.all()) {
      const { expiresAtMs, revoked } = session.identity ?? {};
      if (revoked?.()) {
        const text = 'token_revoked: get another token, then connect again';
        void this.#sessions.end(session, 'its token was taken back', { reason: 'policy', text });
        continue;
      }
      if (expiresAtMs === undefined || now < expiresAtMs - NOTICE_MS) continue;
      if (now >= expiresAtMs + this.#graceMs) {
        const text = 'token_expired: get a new token, then connect again';
        void this.#sessions.end(session, 'its token expired', { reason: 'policy', text });
      } else {
        this.#tellExpiry(session, expiresAtMs, now);
      }
    }
  }

  /** A client that is away learns it when it is back, if it is true still. */
  #tellExpiry(session: Session, expiresAtMs: number, nowMs: number): void {
    const { socket, expiryTold: told } = session;
    if (socket === undefined || (told?.socket === socket && nowMs < told.atMs + REPEAT_MS)) return;
    session.expiryTold = { socket, atMs: nowMs };
    const data = { expires_at: new Date(expiresAtMs).toISOString() };
    session.tell({ method: 'session.expiring', stream: '', data });
  }

  async #endHold(session: Session, hold: SessionHold): Promise<void> {
    const { stream, role } = hold;
    const held = session.hold(stream)?.[role];
    if (held === undefined || session.ended || !isForbidden(session, hold)) return;
    const fields = { session: session.publicId, stream, role, node: held.node };
    const request = { stream, session: session.id, role };
    for (let attempt = 1; attempt <= CLOSE_ATTEMPTS; attempt += 1) {
      try {
        await this.#links.call(held.node, 'close', request, CLOSE_TIMEOUT_MS);
        break;
      } catch (error) {
        this.#log.warn({ ...fields, attempt, err: error }, 'what the token does not allow was not closed');
        // A media server that is gone holds nothing any more.
        if (toMillraceError(error).errorName !== 'timed_out') break;
      }
    }
    session.dropHold(stream, role);
    this.#log.info(fields, 'ended, as the token does not allow it any more');
    session.tell({ method: 'stream.ended', stream, data: { role, reason: 'not_authorised' } });
    void this.#records.save(session);
  }
}

function isForbidden({ identity }: Session, { role, stream }: SessionHold): boolean {
  return identity !== undefined && !identity.may(role, stream);
}
