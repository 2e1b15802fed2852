import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Handshake, parseHandshake, type ReplyMethod } from '../core/protocol/index.ts';
import { statusProblem } from './http/http-answer.ts';
import type { ClientLimits } from './limits/client-limits.ts';
import { endWith } from './limits/ending.ts';
import type { SignalingLimit } from './metrics.ts';
import { originAllowed } from './origin.ts';
import type { Certificate, ListenerSettings } from './settings.ts';

export interface ListenerOptions {
  readonly settings: ListenerSettings;
  readonly allowedOrigins: readonly string[];
  readonly replyMethod: ReplyMethod;
  readonly messageBytes: number;
  /** TCP connections at once, those of plain HTTP included; further ones are dropped. */
  readonly tcpConnections: number;
  readonly clientLimits: ClientLimits;
  /** Longest time for a TLS handshake, for a request's headers, and for a request with its body. */
  readonly handshakeTimeoutMs: number;
  /** An HTTP response of which nobody reads a byte for this long is given up. */
  readonly stalledMs: number;
  /** Whether a WebSocket is taken in at all; else its opening handshake is answered 503. */
  readonly admits: () => boolean;
  readonly onSocket: (socket: WebSocket, handshake: Handshake) => void;
  /** An opening handshake was answered with this HTTP status instead. */
  readonly onRefused: (status: number) => void;
  readonly onLimit: (limit: SignalingLimit) => void;
  readonly onHttp: (request: IncomingMessage, response: ServerResponse) => void;
}

const WEBSOCKET_PATHS: ReadonlySet<string> = new Set(['/', '/ws']);
const MAX_HEADERS = 100;
/** How often time-outs are looked at, at most. */
const CHECK_INTERVAL_MS = 5000;
const CLOSE_TIMEOUT_MS = 1000;

/** One address: HTTP or HTTPS, and the opening handshake of WebSockets (RFC 6455 section 4.2). */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server | HttpsServer;
  readonly #sockets: WebSocketServer;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const limits = {
      headersTimeout: options.handshakeTimeoutMs,
      requestTimeout: options.handshakeTimeoutMs,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, options.handshakeTimeoutMs / 2),
      maxHeaderSize: 32 * 1024,
    };
    const onHttp = (request: IncomingMessage, response: ServerResponse) => {
      if (tooManyHeaders(request)) {
        options.onLimit('headers');
        response.writeHead(431, { Connection: 'close', 'Content-Length': 0 }).end();
      } else if (options.clientLimits.takeRequest(request)) options.onHttp(request, response);
      else {
        options.onLimit('http_rate');
        const { status, headers, body } = TOO_OFTEN;
        // Its body is not read: the connection is of no more use.
        response.writeHead(status, { ...headers, Connection: 'close' }).end(body);
      }
    };
    const { tls } = options.settings;
    this.#server =
      tls === undefined
        ? createHttpServer(limits, onHttp)
        : createHttpsServer(
            {
              ...limits,
              cert: tls.cert,
              key: tls.key,
              minVersion: 'TLSv1.2',
              handshakeTimeout: options.handshakeTimeoutMs,
            },
            onHttp,
          );
    this.#server.maxConnections = options.tcpConnections;
    this.#server.on('drop', () => options.onLimit('tcp_connections'));
    this.#server.on('connection', (socket: Socket) => {
      if (options.clientLimits.takeConnection(socket)) return;
      options.onLimit('tcp_connections_per_address');
      socket.destroy();
    });
    this.#server.setTimeout(options.stalledMs);
    // Node drops further ones silently: one more shows that there were too many.
    this.#server.maxHeadersCount = MAX_HEADERS + 1;
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.messageBytes,
      // Checked by the connection, which closes with the protocol's own code.
      skipUTF8Validation: true,
      closeTimeout: CLOSE_TIMEOUT_MS,
    } as ConstructorParameters<typeof WebSocketServer>[0]);
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
      const { limit, status = 400 } = CLIENT_ERRORS.get(error.code ?? '') ?? {};
      if (limit !== undefined) options.onLimit(limit);
      if (socket.writable) answer(socket, { status, text: STATUS_CODES[status] ?? '' });
      else socket.destroy();
    });
  }

  /** @throws the system's error, such as EADDRINUSE */
  async listen(): Promise<void> {
    const { host, port } = this.#options.settings;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get secure(): boolean {
    return this.#options.settings.tls !== undefined;
  }

  /** New connections get this certificate; those that are open keep theirs. */
  setCertificate({ cert, key }: Certificate): void {
    if ('setSecureContext' in this.#server)
      this.#server.setSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  }

  /** Takes nothing new. WebSockets that are open stay. */
  stop(): void {
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  /** Ends every connection that is still open. */
  destroy(): void {
    this.#server.closeAllConnections();
    this.#sockets.close();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { onSocket, onRefused } = this.#options;
    const decision = this.#decide(request);
    if ('handshake' in decision) {
      this.#sockets.handleUpgrade(request, socket, head, (open) => onSocket(open, decision.handshake));
    } else {
      onRefused(decision.status);
      answer(socket, decision);
    }
  }

  #decide(request: IncomingMessage): { readonly handshake: Handshake } | Refusal {
    const { allowedOrigins, admits, clientLimits, onLimit, replyMethod } = this.#options;
    if (tooManyHeaders(request)) {
      onLimit('headers');
      return { status: 431, text: `more than ${MAX_HEADERS} headers; send fewer` };
    }
    const target = request.url ?? '/';
    const { origin, host, authorization } = request.headers;
    if (!WEBSOCKET_PATHS.has(target.split('?')[0] ?? '')) {
      return { status: 404, text: 'WebSockets are served at / and /ws' };
    }
    if (!originAllowed({ origin, host, localAddress: request.socket.localAddress }, allowedOrigins)) {
      const shown = JSON.stringify(origin?.slice(0, 100) ?? '');
      return {
        status: 403,
        text: `pages of ${shown} may not use this server; list it in the allowed origins`,
      };
    }
    if (!admits()) {
      onLimit('connections');
      return { status: 503, text: 'too many connections; come back later' };
    }
    const parsed = parseHandshake(target, { replyMethod, authorization });
    if (!parsed.ok) return { status: 400, text: parsed.error.message };
    if (!clientLimits.takeWebSocket(request)) {
      onLimit('connections_per_address');
      return { status: 429, text: 'too many connections from your address; close some, or come back later' };
    }
    return { handshake: parsed.handshake };
  }
}

const TOO_OFTEN = statusProblem(429, 'your address asks too often; wait a second', {
  'Retry-After': '1',
  'Cache-Control': 'no-store',
});

interface Refusal {
  /** HTTP status. */
  readonly status: number;
  readonly text: string;
}

function answer(socket: Duplex, { status, text }: Refusal): void {
  const body = `${text}\n`;
  const retry = status === 503 || status === 429 ? 'Retry-After: 5\r\n' : '';
  endWith(
    socket,
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n${retry}\r\n${body}`,
  );
}

/** Names and values stand one after the other. */
function tooManyHeaders({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.length > 2 * MAX_HEADERS;
}

/** What Node found too long or too slow, by its error's code. */
const CLIENT_ERRORS: ReadonlyMap<string, { readonly limit: SignalingLimit; readonly status?: number }> =
  new Map([
    ['HPE_HEADER_OVERFLOW', { limit: 'headers', status: 431 }],
    ['ERR_HTTP_REQUEST_TIMEOUT', { limit: 'handshake_time', status: 408 }],
    ['ERR_TLS_HANDSHAKE_TIMEOUT', { limit: 'handshake_time' }],
  ]);
