import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Handshake, parseHandshake, type ReplyMethod } from '../core/protocol/index.ts';
import { originAllowed } from './origin.ts';
import type { Certificate, ListenerSettings } from './settings.ts';

export interface ListenerOptions {
  readonly settings: ListenerSettings;
  readonly allowedOrigins: readonly string[];
  readonly replyMethod: ReplyMethod;
  readonly messageBytes: number;
  /** TCP connections at once, those of plain HTTP included; further ones are dropped. */
  readonly tcpConnections: number;
  /** Whether a WebSocket is taken in at all; else its opening handshake is answered 503. */
  readonly admits: () => boolean;
  readonly onSocket: (socket: WebSocket, handshake: Handshake) => void;
  /** An opening handshake was answered with this HTTP status instead. */
  readonly onRefused: (status: number) => void;
  readonly onHttp: (request: IncomingMessage, response: ServerResponse) => void;
}

const WEBSOCKET_PATHS: ReadonlySet<string> = new Set(['/', '/ws']);
const HANDSHAKE_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 1000;

/** One address: HTTP or HTTPS, and the opening handshake of WebSockets (RFC 6455 section 4.2). */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server | HttpsServer;
  readonly #sockets: WebSocketServer;

  constructor(options: ListenerOptions) {
    this.#options = options;
    const limits = {
      headersTimeout: HANDSHAKE_TIMEOUT_MS,
      requestTimeout: HANDSHAKE_TIMEOUT_MS,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 5000,
      maxHeaderSize: 32 * 1024,
    };
    const { tls } = options.settings;
    this.#server =
      tls === undefined
        ? createHttpServer(limits, options.onHttp)
        : createHttpsServer(
            {
              ...limits,
              cert: tls.cert,
              key: tls.key,
              minVersion: 'TLSv1.2',
              handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
            },
            options.onHttp,
          );
    this.#server.maxConnections = options.tcpConnections;
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
    this.#server.on('clientError', (_error, socket: Duplex) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
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
    const { allowedOrigins, admits, replyMethod } = this.#options;
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
    if (!admits()) return { status: 503, text: 'too many connections; come back later' };
    const parsed = parseHandshake(target, { replyMethod, authorization });
    return parsed.ok ? { handshake: parsed.handshake } : { status: 400, text: parsed.error.message };
  }
}

interface Refusal {
  /** HTTP status. */
  readonly status: number;
  readonly text: string;
}

function answer(socket: Duplex, { status, text }: Refusal): void {
  const body = `${text}\n`;
  const retry = status === 503 ? 'Retry-After: 5\r\n' : '';
  socket.on('error', () => undefined);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n${retry}\r\n${body}`,
  );
}
