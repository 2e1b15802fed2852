import type { Authoriser, Identity } from '../core/auth/index.ts';
import {
  type DecodedRequest,
  encodeError,
  encodeReply,
  MillraceError,
  type ReplyMethod,
  type SessionId,
  toMillraceError,
} from '../core/protocol/index.ts';
import type { SessionRecord } from '../core/registry/record.ts';
import { within } from './deadline.ts';
import { close } from './handlers/close.ts';
import { heartbeat } from './handlers/heartbeat.ts';
import { mute } from './handlers/mute.ts';
import { play } from './handlers/play.ts';
import { publish } from './handlers/publish.ts';
import { recordStart } from './handlers/record-start.ts';
import { recordStop, STOP_EXTRA_MS } from './handlers/record-stop.ts';
import type { SignalingMetrics } from './metrics.ts';
import { demandUseful, type RequestContext, type Services } from './request-context.ts';
import type { Session, SessionSocket } from './session.ts';
import type { SessionTokens } from './session-tokens.ts';

/** The connection that requests come from: who is at its other end, and which session it serves. */
export interface Requester extends SessionSocket {
  readonly replyMethod: ReplyMethod;
  /** From the opening handshake. */
  readonly token: string | undefined;
  readonly closing: boolean;
  identity: Identity | undefined;
  /** The token of that identity. */
  shownToken: string | undefined;
  session: Session | undefined;
  /** Requests are let in one after another, as each may decide which session the next one belongs to. */
  admission: Promise<unknown> | undefined;
}

type Data = Parameters<typeof encodeReply>[1];

/** Serves decoded requests: who asks, for which session, by whom it is done, and the reply's text. */
export class Requests {
  readonly #services: Services;
  readonly #authoriser: Authoriser;
  readonly #tokens: SessionTokens;
  readonly #metrics: SignalingMetrics;

  constructor(services: Services, authoriser: Authoriser, tokens: SessionTokens, metrics: SignalingMetrics) {
    this.#services = services;
    this.#authoriser = authoriser;
    this.#tokens = tokens;
    this.#metrics = metrics;
  }

  /** The text of the reply, an error's too; never rejects, and takes no longer than the request's deadline. */
  async answer(requester: Requester, request: DecodedRequest): Promise<string> {
    const startedMs = this.#services.now();
    let failure: MillraceError | undefined;
    let data: Data = {};
    try {
      data = await this.#withinDeadline(requester, request, startedMs);
    } catch (error) {
      failure = toMillraceError(error);
      if (failure.errorName === 'internal') {
        const { method, stream } = request;
        this.#services.log.error(
          { session: requester.session?.publicId, method, stream, err: error },
          'failed',
        );
      }
    }
    const { method } = request;
    const seconds = (this.#services.now() - startedMs) / 1000;
    this.#metrics.requests.observe({ method, code: failure?.code ?? 0 }, seconds);
    const head = {
      method,
      stream: request.stream,
      session: requester.session?.id ?? '',
      ...(request.id !== undefined && { id: request.id }),
    };
    return failure === undefined
      ? encodeReply(head, data, requester.replyMethod)
      : encodeError(head, failure, requester.replyMethod);
  }

  #withinDeadline(requester: Requester, request: DecodedRequest, startedMs: number): Promise<Data> {
    const timeoutMs = this.#services.settings.requestTimeoutMs + extraMs(request);
    return within(timeoutMs, () => this.#serve(requester, request, startedMs + timeoutMs));
  }

  async #serve(requester: Requester, request: DecodedRequest, deadlineMs: number): Promise<Data> {
    // Begun inside the admission, so that work begins in the order of the requests.
    const begun = (requester.admission ?? Promise.resolve()).then(async () => {
      const { session, identity } = await this.#admit(requester, request);
      const context: RequestContext = {
        session,
        deadlineMs,
        // What was queued behind other work goes by the token that counts when it is done.
        get identity() {
          return session.identity ?? identity;
        },
      };
      return { session, identity, data: this.#dispatch(context, request) };
    });
    const settled = begun.then(nothing, nothing);
    requester.admission = settled;
    try {
      const { session, identity, data } = await begun;
      try {
        return await data;
      } finally {
        // A newer token came while it was under way, too late to stop what an older one allowed.
        if (session.identity !== identity) this.#tokens.endForbidden(session);
      }
    } finally {
      if (requester.admission === settled) requester.admission = undefined;
    }
  }

  #dispatch(context: RequestContext, request: DecodedRequest): Promise<Data> | Data {
    const services = this.#services;
    const { session } = context;
    switch (request.method) {
      case 'stream.heartbeat':
        return heartbeat(services, context);
      case 'stream.play':
        return play(services, context, request.stream, request.data);
      case 'stream.publish':
        return session.serially(request.stream, async () => {
          demandUseful(services, context);
          return publish(services, context, request.stream, request.data);
        });
      case 'stream.mute':
        return session.serially(request.stream, async () => {
          demandUseful(services, context);
          return mute(services, context, request.stream, request.data);
        });
      case 'stream.close':
        return session.serially(request.stream, async () => {
          demandUseful(services, context);
          return close(services, context, request.stream, request.data);
        });
      case 'record.start':
        return session.recordSerially(request.stream, async () => {
          demandUseful(services, context);
          return recordStart(services, context, request.stream, request.data);
        });
      case 'record.stop':
        return session.recordSerially(request.stream, async () => {
          demandUseful(services, context);
          return recordStop(services, context, request.stream, request.data);
        });
    }
  }

  async #admit(
    requester: Requester,
    request: DecodedRequest,
  ): Promise<{ identity: Identity; session: Session }> {
    if (requester.closing) {
      throw new MillraceError('session_taken_over', 'this connection is closing; connect again');
    }
    const inData = request.method === 'stream.heartbeat' ? request.data.token : undefined;
    const token = request.token || inData || requester.shownToken || requester.token;
    const identity = await this.#identify(requester, token);
    const known = await this.#known(requester, request.session, identity);
    // Nothing is awaited from here until it is attached: what has no client may be dropped to make room.
    const session = this.#sessionFor(known, identity);
    requester.identity = identity;
    requester.shownToken = token;
    // A socket that closed meanwhile takes nothing over.
    if (!requester.closing) {
      this.#attach(requester, session);
      this.#tokens.accept(session, identity);
    }
    session.identity ??= identity;
    return { identity, session };
  }

  /** The token that the connection goes by already, shown again or not, is good until its grace is over. */
  async #identify(requester: Requester, token: string | undefined): Promise<Identity> {
    const { identity, shownToken } = requester;
    if (identity === undefined || token !== shownToken) return this.#authoriser.identify(token);
    this.#tokens.demandCurrent(identity);
    return identity;
  }

  async #known(requester: Requester, id: SessionId | '', identity: Identity): Promise<Session | undefined> {
    if (id === '' || id === requester.session?.id) return requester.session;
    return this.#services.sessions.get(id) ?? this.#adopt(id, identity);
  }

  #sessionFor(wanted: Session | undefined, identity: Identity): Session {
    if (wanted === undefined) return this.#services.sessions.open(identity.subject);
    if (wanted.ended) throw unknownSession();
    demandResumable(wanted, identity);
    return wanted;
  }

  #attach(requester: Requester, session: Session): void {
    const former = requester.session;
    if (former === session && session.socket === requester) return;
    if (former !== undefined && former !== session) this.#services.sessions.detach(former, requester);
    requester.session = session;
    this.#services.sessions.attach(session, requester);
  }

  /** A session that another signaling process served until it, or its connection, was gone. */
  async #adopt(id: SessionId, identity: Identity): Promise<Session> {
    const { registry, records, sessions } = this.#services;
    const record = await registry.findSession(id);
    if (record === undefined) throw unknownSession();
    demandResumable(record, identity);
    const epochs = await this.#epochsOf(record);
    const here = sessions.get(id);
    if (here !== undefined) return here;
    const taken = await records.take(id);
    if (taken === undefined) throw unknownSession();
    const adopted = sessions.get(id) ?? sessions.adopt(taken.session, epochs, taken.from);
    for (const node of adopted.nodes()) this.#services.links.listen(node);
    return adopted;
  }

  /** Epochs of the streams that the session still publishes. */
  async #epochsOf(record: SessionRecord): Promise<Map<string, number>> {
    const epochs = new Map<string, number>();
    for (const { stream, role } of record.holds) {
      if (role !== 'publish') continue;
      const found = await this.#services.registry.findStream(stream);
      if (found?.session === record.id) epochs.set(stream, found.epoch);
    }
    return epochs;
  }
}

/** What a request may take beyond the time that every one has. */
function extraMs(request: DecodedRequest): number {
  if (request.method === 'record.stop') return STOP_EXTRA_MS;
  return request.method === 'stream.play' ? (request.data.wait_ms ?? 0) : 0;
}

/** @throws MillraceError unless this client may take the session over */
function demandResumable(
  { livesBy, subject }: Pick<SessionRecord, 'livesBy' | 'subject'>,
  identity: Identity,
): void {
  if (livesBy !== 'socket') {
    throw new MillraceError(
      'unknown_session',
      'this session is one of WHIP or WHEP; send "" to start another',
    );
  }
  if (subject !== identity.subject) {
    throw new MillraceError(
      'not_authorised',
      'this session belongs to another token subject; show a token of that one, or connect anew',
    );
  }
}

function unknownSession(): MillraceError {
  return new MillraceError(
    'unknown_session',
    'this session is unknown or has ended; send "" to start a new one',
  );
}

function nothing(): void {}
