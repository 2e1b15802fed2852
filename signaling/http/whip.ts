import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { PROBLEM_MEDIA_TYPE, problemOf } from '../../core/api/index.ts';
import type { Authoriser, Identity } from '../../core/auth/index.ts';
import {
  MAX_SDP_CHARACTERS,
  MillraceError,
  newSessionId,
  publicSessionId,
  type StreamName,
} from '../../core/protocol/index.ts';
import {
  accepts,
  fragmentOf,
  iceServerLinks,
  ifMatch,
  isMediaType,
  noSuchSession,
  parseFragment,
  parseWhipPath,
  SDP_FRAGMENT_MEDIA_TYPE,
  type WhipTarget,
  whipPath,
} from '../../core/whip/index.ts';
import { within } from '../deadline.ts';
import { close } from '../handlers/close.ts';
import { demandPermission, demandUseful, type RequestContext, type Services } from '../request-context.ts';
import type { Session } from '../session.ts';
import type { SessionTokens } from '../session-tokens.ts';
import { bearerToken } from './bearer-token.ts';
import { type HttpAnswer, statusProblem } from './http-answer.ts';
import { readText } from './text-body.ts';
import { WhipExchange } from './whip-exchange.ts';

const SDP_MEDIA_TYPE = 'application/sdp';
const ENDPOINT_METHODS = 'GET, HEAD, OPTIONS, POST';
const SESSION_METHODS = 'DELETE, GET, HEAD, OPTIONS, PATCH';
/** After how many seconds a viewer may ask again for a stream that nobody publishes. */
const RETRY_AFTER_S = '2';

/**
 * WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03): `POST /whip/{stream}` publishes and `POST /whep/{stream}`
 * plays. The session that this begins lives by its media, and is at its client's hand under its `Location`.
 */
export class Whip {
  readonly #services: Services;
  readonly #authoriser: Authoriser;
  readonly #tokens: SessionTokens;
  readonly #shuttingDown: () => boolean;
  readonly #exchanges = new WeakMap<Session, WhipExchange>();

  constructor(options: {
    services: Services;
    authoriser: Authoriser;
    tokens: SessionTokens;
    shuttingDown: () => boolean;
  }) {
    this.#services = options.services;
    this.#authoriser = options.authoriser;
    this.#tokens = options.tokens;
    this.#shuttingDown = options.shuttingDown;
  }

  /**
   * @param request its body must not have been read
   * @throws MillraceError, which is answered as a problem (RFC 9457)
   */
  async answer(request: IncomingMessage, path: string): Promise<HttpAnswer> {
    const target = parseWhipPath(path);
    if (target === undefined) return statusProblem(404, 'use /whip/{stream} or /whep/{stream}');
    const { method = '' } = request;
    if (method === 'OPTIONS') return this.#options(request, target);
    // RFC 9725 section 4.1: there is nothing to show, and that is no failure.
    if (method === 'GET' || method === 'HEAD') return { status: 204 };
    if (target.session === undefined) {
      return method === 'POST' ? this.#begin(request, target) : notAllowed(ENDPOINT_METHODS);
    }
    if (method !== 'DELETE' && method !== 'PATCH') return notAllowed(SESSION_METHODS);
    const { context, exchange } = await this.#find(request, target);
    return method === 'DELETE' ? this.#end(context, exchange) : this.#patch(request, context, exchange);
  }

  /**
   * ICE servers before the offer too, for clients that cannot take them after it (RFC 9725 section 4.6). A preflight
   * of CORS shows no token, and learns none of them.
   */
  async #options(request: IncomingMessage, target: WhipTarget): Promise<HttpAnswer> {
    const answer = optionsOf(target);
    const { role, stream, session } = target;
    if (session !== undefined || bearerToken(request) === undefined) return answer;
    demandPermission(await this.#identify(request), role, stream);
    const user = publicSessionId(newSessionId(randomBytes));
    return { ...answer, headers: { ...answer.headers, ...this.#links(user) } };
  }

  #links(user: string): Readonly<Record<string, string>> {
    const links = iceServerLinks(this.#services.iceServers(user));
    return links === undefined ? {} : { Link: links };
  }

  async #begin(request: IncomingMessage, { role, stream }: WhipTarget): Promise<HttpAnswer> {
    if (this.#shuttingDown()) {
      throw new MillraceError('shutting_down', 'the server is shutting down; try again later');
    }
    const { headers } = request;
    if (!isMediaType(headers['content-type'], SDP_MEDIA_TYPE)) {
      return statusProblem(415, `send the offer as ${SDP_MEDIA_TYPE}`, { 'Accept-Post': SDP_MEDIA_TYPE });
    }
    if (!accepts(headers.accept, SDP_MEDIA_TYPE)) {
      return statusProblem(406, `the answer is ${SDP_MEDIA_TYPE}; accept that`);
    }
    const identity = await this.#identify(request);
    const offer = await readText(request, MAX_SDP_CHARACTERS);
    const { sessions } = this.#services;
    const session = sessions.open(identity.subject, 'media');
    this.#tokens.accept(session, identity);
    const context = this.#context(session, identity);
    try {
      const exchange = await this.#inTime(() =>
        WhipExchange.begin(this.#services, context, { role, stream, offer }),
      );
      // A client that gave up waiting never learns where its session is, and comes back for the name.
      if (request.socket.destroyed) throw new MillraceError('timed_out', 'its client is gone');
      this.#exchanges.set(session, exchange);
      return {
        status: 201,
        headers: {
          'Content-Type': SDP_MEDIA_TYPE,
          Location: whipPath(role, stream, session.id),
          ETag: exchange.entityTag,
          'Accept-Patch': SDP_FRAGMENT_MEDIA_TYPE,
          ...this.#links(session.publicId),
        },
        body: exchange.answer,
      };
    } catch (error) {
      await sessions.end(session, 'it could not begin');
      if (role === 'play' && isNotLive(error)) return notLive(error, stream);
      throw error;
    }
  }

  /** The session's id is a secret, and opens the session to the subject that began it only. */
  async #find(
    request: IncomingMessage,
    target: WhipTarget,
  ): Promise<{ context: RequestContext; exchange: WhipExchange }> {
    const identity = await this.#identify(request);
    const session = target.session && this.#services.sessions.get(target.session);
    const exchange = session && this.#exchanges.get(session);
    if (exchange === undefined || exchange.role !== target.role || exchange.stream !== target.stream) {
      throw noSuchSession();
    }
    if (session?.subject !== identity.subject) {
      throw new MillraceError('not_authorised', 'this session belongs to another token subject');
    }
    // So a token is renewed: by any fragment that comes with a newer one.
    this.#tokens.accept(session, identity);
    return { context: this.#context(session, identity), exchange };
  }

  async #end(context: RequestContext, { role, stream }: WhipExchange): Promise<HttpAnswer> {
    const { session } = context;
    await this.#inTime(() =>
      session.serially(stream, async () => {
        demandUseful(this.#services, context);
        // What ended by itself meanwhile is what the client wants.
        if (session.hold(stream) !== undefined) await close(this.#services, context, stream, { role });
      }),
    );
    await this.#services.sessions.end(session, 'ended by its client');
    return { status: 200 };
  }

  /** Trickled candidates are taken and not needed; other credentials restart ICE (RFC 9725 sections 4.3.2, 4.3.3). */
  async #patch(
    request: IncomingMessage,
    context: RequestContext,
    exchange: WhipExchange,
  ): Promise<HttpAnswer> {
    const { headers } = request;
    if (!isMediaType(headers['content-type'], SDP_FRAGMENT_MEDIA_TYPE)) {
      const detail = `send ${SDP_FRAGMENT_MEDIA_TYPE}`;
      return statusProblem(415, detail, { 'Accept-Patch': SDP_FRAGMENT_MEDIA_TYPE });
    }
    const condition = headers['if-match'];
    if (condition === undefined) {
      return statusProblem(428, 'send If-Match with the ETag of the answer, or with * to restart ICE');
    }
    const credentials = parseFragment(await readText(request, MAX_SDP_CHARACTERS));
    const work = async (): Promise<HttpAnswer> => {
      demandUseful(this.#services, context);
      if (!ifMatch(condition, exchange.entityTag)) {
        return statusProblem(
          412,
          `the ICE session is ${exchange.entityTag} now; restart ICE with If-Match: *`,
        );
      }
      if (credentials === undefined || exchange.isCurrent(credentials)) return { status: 204 };
      await exchange.restart(context, credentials);
      return {
        status: 200,
        headers: { 'Content-Type': SDP_FRAGMENT_MEDIA_TYPE, ETag: exchange.entityTag },
        body: fragmentOf(exchange.answer),
      };
    };
    return this.#inTime(() => exchange.inOrder(work));
  }

  #identify(request: IncomingMessage): Promise<Identity> {
    return this.#authoriser.identify(bearerToken(request));
  }

  #context(session: Session, identity: Identity): RequestContext {
    const { now, settings } = this.#services;
    return { session, identity, deadlineMs: now() + settings.requestTimeoutMs };
  }

  #inTime<Result>(work: () => Promise<Result>): Promise<Result> {
    return within(this.#services.settings.requestTimeoutMs, work);
  }
}

function optionsOf({ session }: WhipTarget): HttpAnswer {
  return session === undefined
    ? { status: 200, headers: { Allow: ENDPOINT_METHODS, 'Accept-Post': SDP_MEDIA_TYPE } }
    : { status: 200, headers: { Allow: SESSION_METHODS, 'Accept-Patch': SDP_FRAGMENT_MEDIA_TYPE } };
}

function notAllowed(methods: string): HttpAnswer {
  return statusProblem(405, `use ${methods}`, { Allow: methods });
}

function isNotLive(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.errorName === 'stream_not_found';
}

/** As the draft of WHEP wants it (section 4.2): a conflict, and when to come back. */
function notLive(error: MillraceError, stream: StreamName): HttpAnswer {
  // The error's own words advise what only a WebSocket can do.
  const detail = `nobody publishes "${stream}"; check the name, or ask again later`;
  return {
    status: 409,
    headers: { 'Content-Type': PROBLEM_MEDIA_TYPE, 'Retry-After': RETRY_AFTER_S },
    body: JSON.stringify({ ...problemOf(error), status: 409, detail }),
  };
}
