import type { IncomingMessage, ServerResponse } from 'node:http';
import { PROBLEM_MEDIA_TYPE, problemOf } from '../../core/api/index.ts';
import type { Authoriser } from '../../core/auth/index.ts';
import { MillraceError, toMillraceError } from '../../core/protocol/index.ts';
import { isWhipPath } from '../../core/whip/index.ts';
import type { Assets } from '../assets.ts';
import type { SignalingMetrics } from '../metrics.ts';
import { hostTrusted, originAllowed } from '../origin.ts';
import type { Services } from '../request-context.ts';
import type { SessionTokens } from '../session-tokens.ts';
import { Api } from './api.ts';
import { corsHeaders } from './cors.ts';
import { recordingFileOf, serveRecordingFile } from './recording-file.ts';
import { serveAsset } from './static.ts';
import { Whip } from './whip.ts';

/** Plain HTTP requests: /api/v1, WHIP and WHEP, and the files of the page. */
export class HttpRouter {
  readonly #services: Services;
  readonly #authoriser: Authoriser;
  readonly #metrics: SignalingMetrics;
  readonly #assets: Assets;
  readonly #api: Api;
  readonly #whip: Whip;

  constructor(options: {
    services: Services;
    authoriser: Authoriser;
    metrics: SignalingMetrics;
    assets: Assets | undefined;
    tokens: SessionTokens;
    shuttingDown: () => boolean;
  }) {
    this.#services = options.services;
    this.#authoriser = options.authoriser;
    this.#metrics = options.metrics;
    this.#assets = options.assets ?? new Map();
    this.#api = new Api(options.services, options.authoriser);
    this.#whip = new Whip(options);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.on('finish', () => {
      this.#metrics.http.inc({ method: methodLabel(request.method), code: String(response.statusCode) });
    });
    this.#answer(request, response).catch((error: unknown) => this.#fail(request, response, error));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '/';
    const split = target.indexOf('?');
    const path = split < 0 ? target : target.slice(0, split);
    if (path === '/api' || path.startsWith('/api/')) {
      this.#demandTrust(request);
      const query = new URLSearchParams(split < 0 ? '' : target.slice(split));
      const file = recordingFileOf(path);
      if (file !== undefined) {
        const serving = { services: this.#services, authoriser: this.#authoriser };
        return serveRecordingFile(serving, request, response, file, query);
      }
      const answer = await this.#api.answer(request, path, query);
      response.setHeader('Cache-Control', 'no-store');
      if (answer.body === undefined) {
        response.writeHead(answer.status, answer.headers).end();
      } else {
        const { 'Content-Type': type = 'application/json', ...headers } = answer.headers ?? {};
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        sendJson(request, response, answer.status, type, answer.body);
      }
      return;
    }
    if (isWhipPath(path)) {
      this.#demandTrust(request);
      for (const [name, value] of Object.entries(corsHeaders(request.headers.origin))) {
        response.setHeader(name, value);
      }
      const { status, headers, body } = await this.#whip.answer(request, path);
      response.setHeader('Cache-Control', 'no-store');
      const length = { 'Content-Length': Buffer.byteLength(body ?? '') };
      response.writeHead(status, { ...(status !== 204 && length), ...headers }).end(body);
      return;
    }
    const found = this.#assets.get(path);
    if (found === undefined) {
      response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end('not found\n');
    } else if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    } else {
      serveAsset(request, response, found);
    }
  }

  /** Pages of other origins may neither change anything (CSRF) nor read by a name of their own (DNS rebinding). */
  #demandTrust(request: IncomingMessage): void {
    const { origin, host } = request.headers;
    const from = { origin, host, localAddress: request.socket.localAddress };
    const { allowedOrigins } = this.#services.settings;
    if (originAllowed(from, allowedOrigins) && hostTrusted(from, allowedOrigins)) return;
    throw new MillraceError(
      'not_authorised',
      `requests from ${JSON.stringify(origin ?? host ?? '')} are not taken here; list it in the allowed origins`,
    );
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const failure = toMillraceError(error);
    if (failure.errorName === 'internal') {
      this.#services.log.error(
        { method: request.method, url: request.url, err: error },
        'HTTP request failed',
      );
    }
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.setHeader('Cache-Control', 'no-store');
    // RFC 6750 section 3.
    if (failure.httpStatus === 401) response.setHeader('WWW-Authenticate', 'Bearer');
    sendJson(request, response, failure.httpStatus, PROBLEM_MEDIA_TYPE, problemOf(failure));
  }
}

function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  type: string,
  value: unknown,
): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function methodLabel(method: string | undefined): string {
  return method !== undefined && METHODS.has(method) ? method : 'other';
}
