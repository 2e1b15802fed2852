import type { IncomingMessage } from 'node:http';
import {
  type NodeStreams,
  OPENAPI_PATH,
  openApiDocument,
  parsePage,
  sessionList,
  sessionResource,
  streamDetail,
  streamList,
} from '../../core/api/index.ts';
import type { Authoriser } from '../../core/auth/index.ts';
import {
  MillraceError,
  parseStreamName,
  publicSessionId,
  type StreamName,
} from '../../core/protocol/index.ts';
import type { NodeId, SessionRecord } from '../../core/registry/record.ts';
import { demandPermission, type Services } from '../request-context.ts';
import { type ApiAnswer, NOT_FOUND, notAllowed, reading } from './api-answer.ts';
import { bearerToken } from './bearer-token.ts';
import { RecordingsApi } from './recordings.ts';

const PREFIX = '/api/v1/';
const SCAN_PAGE = 1000;
const NODE_TIMEOUT_MS = 2000;

/** /api/v1, for whoever may administer. */
export class Api {
  readonly #services: Services;
  readonly #authoriser: Authoriser;
  readonly #recordings: RecordingsApi;
  #openApi: unknown;

  constructor(services: Services, authoriser: Authoriser) {
    this.#services = services;
    this.#authoriser = authoriser;
    this.#recordings = new RecordingsApi(services, authoriser);
  }

  /** @throws MillraceError, which is answered as a problem (RFC 9457) */
  async answer(request: IncomingMessage, path: string, query: URLSearchParams): Promise<ApiAnswer> {
    if (path === OPENAPI_PATH) {
      this.#openApi ??= openApiDocument();
      return reading(request) ? { status: 200, body: this.#openApi } : notAllowed('GET, HEAD');
    }
    const [collection, item, ...rest] = path.startsWith(PREFIX) ? path.slice(PREFIX.length).split('/') : [];
    if (collection === 'recordings') {
      const parts = [item, ...rest].flatMap((part) => (part === undefined ? [] : decode(part)));
      return (await this.#recordings.answer(request, query, parts)) ?? NOT_FOUND;
    }
    if (rest.length > 0) return NOT_FOUND;
    if (collection === 'streams' && item === undefined) return this.#listStreams(request, query);
    if (collection === 'sessions' && item === undefined) return this.#listSessions(request, query);
    if (collection === 'streams' && item) return this.#stream(request, parseStreamName(decode(item)));
    if (collection === 'sessions' && item) return this.#session(request, decode(item));
    return NOT_FOUND;
  }

  async #listStreams(request: IncomingMessage, query: URLSearchParams): Promise<ApiAnswer> {
    if (!reading(request)) return notAllowed('GET, HEAD');
    await this.#demandAdmin(request);
    const { after, limit } = parsePage(query);
    const page = { limit, ...(after !== undefined && { after }) };
    const nodes = await this.#services.registry.nodes();
    const answers = await Promise.all(
      nodes.map(async ({ id: node }): Promise<NodeStreams> => {
        try {
          const { streams } = await this.#services.links.call(node, 'streams', page, NODE_TIMEOUT_MS);
          return { node, streams };
        } catch (error) {
          this.#services.log.warn({ node, err: error }, 'streams not listed');
          return { node, streams: null };
        }
      }),
    );
    return { status: 200, body: streamList(answers, limit) };
  }

  async #stream(request: IncomingMessage, name: StreamName): Promise<ApiAnswer> {
    if (!reading(request) && request.method !== 'DELETE') return notAllowed('GET, HEAD, DELETE');
    await this.#demandAdmin(request, name);
    const node = await this.#nodeOf(name);
    if (request.method === 'DELETE') {
      const { ended } = await this.#services.links.call(node, 'end', { stream: name }, NODE_TIMEOUT_MS);
      if (!ended) throw noStream(name);
      this.#services.log.info({ stream: name, node }, 'stream ended by an operator');
      return { status: 204 };
    }
    const { stream, plays } = await this.#services.links.call(
      node,
      'stream',
      { stream: name },
      NODE_TIMEOUT_MS,
    );
    if (stream === null) throw noStream(name);
    return { status: 200, body: streamDetail(stream, plays, node) };
  }

  async #nodeOf(name: StreamName): Promise<NodeId> {
    const record = await this.#services.streams.find(name);
    if (record === undefined) throw noStream(name);
    return record.node;
  }

  async #listSessions(request: IncomingMessage, query: URLSearchParams): Promise<ApiAnswer> {
    if (!reading(request)) return notAllowed('GET, HEAD');
    await this.#demandAdmin(request);
    const page = parsePage(query);
    const records: SessionRecord[] = [];
    for await (const record of this.#sessionRecords()) records.push(record);
    return { status: 200, body: sessionList(records, page) };
  }

  async #session(request: IncomingMessage, publicId: string): Promise<ApiAnswer> {
    if (!reading(request) && request.method !== 'DELETE') return notAllowed('GET, HEAD, DELETE');
    await this.#demandAdmin(request);
    const { sessions, settings } = this.#services;
    const local = sessions.byPublicId(publicId);
    if (request.method === 'DELETE') {
      if (local === undefined) throw await this.#notHere(publicId);
      await sessions.end(local, 'ended by an operator');
      return { status: 204 };
    }
    const record = local?.record(settings.name) ?? (await this.#findSession(publicId));
    if (record === undefined) throw noSession(publicId);
    return { status: 200, body: sessionResource(record) };
  }

  async #notHere(publicId: string): Promise<MillraceError> {
    const record = await this.#findSession(publicId);
    if (record === undefined) return noSession(publicId);
    return new MillraceError(
      'unknown_session',
      `session ${publicId} is served by "${record.signaling}", not by "${this.#services.settings.name}"; ask there`,
    );
  }

  async #findSession(publicId: string): Promise<SessionRecord | undefined> {
    for await (const record of this.#sessionRecords()) {
      if (publicSessionId(record.id) === publicId) return record;
    }
    return undefined;
  }

  async *#sessionRecords(): AsyncGenerator<SessionRecord> {
    let after: string | undefined;
    while (true) {
      const page = await this.#services.registry.sessions({
        limit: SCAN_PAGE,
        ...(after !== undefined && { after }),
      });
      yield* page;
      after = page.at(-1)?.id;
      if (after === undefined || page.length < SCAN_PAGE) return;
    }
  }

  async #demandAdmin(request: IncomingMessage, stream?: StreamName): Promise<void> {
    demandPermission(await this.#authoriser.identify(bearerToken(request)), 'admin', stream);
  }
}

/** @throws MillraceError `invalid_field` for what is not percent-encoded UTF-8 */
function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new MillraceError('invalid_field', 'the path is not percent-encoded UTF-8', { cause });
  }
}

function noStream(name: StreamName): MillraceError {
  return new MillraceError('stream_not_found', `nobody publishes "${name}"`);
}

function noSession(publicId: string): MillraceError {
  return new MillraceError('unknown_session', `there is no session ${JSON.stringify(publicId.slice(0, 40))}`);
}
