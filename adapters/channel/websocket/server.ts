import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { ServiceName } from '../../../core/channel/service.ts';
import { Accepted } from './accepted.ts';
import type { AnyServe } from './answering.ts';
import { CONNECTION_LIMITS, type ConnectionLimits } from './connection.ts';
import { PROCESS_HEADER, RECEIVED_HEADER, UNKNOWN_CONNECTION } from './dial.ts';
import { type Admitted, judgeHandshake, type Refusal } from './gate.ts';
import { CLOSE_TIMEOUT_MS, type Gone } from './gone.ts';
import type { ChannelCertificate } from './tls.ts';
import type { Secrets } from './token.ts';
import { Unproven } from './unproven.ts';
import { commonSubprotocol, VERSIONS } from './version.ts';

export interface ChannelServerOptions {
  /** Where it listens: an address and a port (0 = any free one), or the path of a unix socket. */
  readonly listen: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly secrets: Secrets;
  /** Absent = plain. With it, whoever has a certificate of its authority needs no token. */
  readonly tls?: ChannelCertificate;
  /** Handlers of one connection that run at once. */
  readonly maxCallsInFlight: number;
  readonly maxConnections?: number;
  /** From a connection's first byte to its token. */
  readonly handshakeTimeoutMs?: number;
  readonly limits?: Partial<ConnectionLimits>;
  readonly versions?: readonly number[];
  /** Told of what a handler threw that is not in the error table. */
  readonly onError: (error: unknown, call: string) => void;
  /** An opening handshake was answered with this status. The token is never told. */
  readonly onRefused?: (refusal: {
    readonly status: number;
    readonly why: string;
    readonly from: string;
  }) => void;
  /** A connection that was taken is gone. */
  readonly onGone?: (service: ServiceName, gone: Gone) => void;
  /** Unix time in ms. */
  readonly wallClock?: () => number;
}

const MAX_CONNECTIONS = 4096;
const HANDSHAKE_TIMEOUT_MS = 3000;
const TLS = 'TLSv1.2';

/** Listens for channels: one HTTP server, a path for each service, a token for each connection. */
export class ChannelServer {
  readonly #options: ChannelServerOptions;
  readonly #limits: ConnectionLimits;
  readonly #versions: readonly number[];
  readonly #maxConnections: number;
  readonly #server: Server | HttpsServer;
  readonly #sockets: WebSocketServer;
  readonly #unproven: Unproven;
  readonly #processHeader = `${PROCESS_HEADER}: ${randomUUID()}`;
  readonly #services = new Map<ServiceName, AnyServe>();
  readonly #accepted = new Map<string, Accepted>();
  /** What each opening handshake is told of the messages that have arrived. */
  readonly #counts = new WeakMap<IncomingMessage, number>();
  #closing: Promise<void> | undefined;

  constructor(options: ChannelServerOptions) {
    this.#options = options;
    this.#limits = { ...CONNECTION_LIMITS, ...options.limits };
    this.#versions = options.versions ?? VERSIONS;
    this.#maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
    const handshakeTimeoutMs = options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS;
    this.#unproven = new Unproven(handshakeTimeoutMs);
    this.#server = createHttpServer(options.tls);
    this.#server.maxConnections = this.#maxConnections;
    this.#server.maxHeadersCount = 64;
    this.#server.on('connection', (socket: Socket) => {
      if (!this.#unproven.add(socket)) this.#refused(socket, 429, 'too many connections without a token');
    });
    this.#server.on('clientError', (_, socket: Duplex) => socket.destroy());
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      // Nobody else listens on it until it is a WebSocket; an error here ends it, and its 'close' follows.
      socket.on('error', () => socket.destroy());
      this.#upgrade(request, socket, head).catch((error: unknown) => {
        options.onError(error, 'upgrade');
        socket.destroy();
      });
    });
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: this.#limits.maxMessageBytes,
      closeTimeout: CLOSE_TIMEOUT_MS,
      handleProtocols: (offered) => commonSubprotocol(offered, this.#versions) ?? false,
    } as ConstructorParameters<typeof WebSocketServer>[0]);
    this.#sockets.on('headers', (headers, request) => {
      headers.push(`${RECEIVED_HEADER}: ${this.#counts.get(request) ?? 0}`, this.#processHeader);
    });
  }

  /** New connections get this one; those that are open keep theirs. */
  setCertificate({ ca, cert, key }: ChannelCertificate): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext({ ca, cert, key, minVersion: TLS });
  }

  /** Takes connections to a service from now on; those to others are answered 404. */
  serve(service: ServiceName, serve: AnyServe): void {
    this.#services.set(service, serve);
  }

  /** @throws the system's error, such as EADDRINUSE */
  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.listen, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  /** Of a server that listens at an address; 0 of one at a path. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? (address satisfies AddressInfo).port : 0;
  }

  /** Connections that were taken. */
  get size(): number {
    return this.#accepted.size;
  }

  /** Ends every connection; resolves when all sockets are closed. Once closed, it stays so. */
  close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      for (const accepted of this.#accepted.values()) accepted.close();
      this.#unproven.destroyAll();
      // Sockets that were upgraded belong to their connections, which cut them `CLOSE_TIMEOUT_MS` after the close frame.
      this.#server.closeAllConnections();
    });
    return this.#closing;
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { secrets, wallClock = Date.now } = this.#options;
    const judged = await judgeHandshake(request, {
      secrets,
      versions: this.#versions,
      certified: 'authorized' in request.socket && request.socket.authorized === true,
      nowMs: wallClock(),
    });
    if (socket.destroyed) return;
    const found = 'status' in judged ? judged : this.#find(judged);
    if ('status' in found) {
      this.#refused(request.socket, found.status, found.why ?? found.text);
      answer(socket, found, this.#processHeader);
      return;
    }
    if (this.#closing !== undefined) return void socket.destroy();
    this.#unproven.settle(request.socket);
    const { accepted, theirs } = found;
    this.#counts.set(request, accepted.pause());
    this.#sockets.handleUpgrade(request, socket, head, (open) => {
      this.#accepted.set(accepted.id, accepted);
      accepted.attach(open, request.socket, theirs);
    });
  }

  /** The connection that a handshake begins or resumes. */
  #find(admitted: Admitted): Refusal | { readonly accepted: Accepted; readonly theirs: number } {
    const { service, identity, connection, received: theirs } = admitted;
    const serve = this.#services.get(service);
    if (serve === undefined) return { status: 404, text: `this process does not serve "${service}"` };
    const known = connection === undefined ? undefined : this.#accepted.get(connection);
    if (theirs !== undefined) {
      return known?.isOf(service, identity)
        ? { accepted: known, theirs }
        : { status: UNKNOWN_CONNECTION, text: 'this process does not have that connection, or not any more' };
    }
    if (known !== undefined) return { status: 409, text: 'there is a connection of that id already' };
    if (this.#accepted.size >= this.#maxConnections) return { status: 503, text: 'too many connections' };
    const { maxCallsInFlight, onError, onGone } = this.#options;
    const id = connection ?? randomUUID();
    const accepted = new Accepted({
      id,
      service,
      identity,
      serve,
      limits: this.#limits,
      maxCallsInFlight,
      onError,
      onGone: (gone) => {
        this.#accepted.delete(id);
        onGone?.(service, gone);
      },
    });
    return { accepted, theirs: 0 };
  }

  #refused(socket: Socket, status: number, why: string): void {
    this.#options.onRefused?.({ status, why, from: socket.remoteAddress ?? '' });
  }
}

function createHttpServer(tls: ChannelCertificate | undefined): Server | HttpsServer {
  const limits = { maxHeaderSize: 16 * 1024, keepAliveTimeout: 1 };
  const onRequest = (_: IncomingMessage, response: ServerResponse) => {
    response
      .writeHead(426, { Connection: 'close', Upgrade: 'websocket' })
      .end('only WebSockets are served here\n');
  };
  if (tls === undefined) return createServer(limits, onRequest);
  const { ca, cert, key } = tls;
  return createHttpsServer(
    // Recorders have no certificate, but a token.
    { ...limits, ca, cert, key, minVersion: TLS, requestCert: true, rejectUnauthorized: false },
    onRequest,
  );
}

/** And ends the connection, whether or not the answer is read. */
function answer(socket: Duplex, { status, text }: Refusal, header: string): void {
  const body = `${text}\n`;
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n${header}\r\n\r\n${body}`,
  );
}
