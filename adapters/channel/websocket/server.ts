import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { PeerIdentity, ServiceName } from '../../../core/channel/service.ts';
import { Answering, type AnyServe } from './answering.ts';
import { CLOSE_TIMEOUT_MS, type Gone, LINK_LIMITS, Link, type LinkLimits } from './link.ts';
import { isServiceName, type Secrets, verifyChannelToken } from './token.ts';
import { Unproven } from './unproven.ts';
import { commonSubprotocol, offeredSubprotocols, subprotocols, VERSIONS } from './version.ts';

export interface ChannelServerOptions {
  /** Where it listens: an address and a port (0 = any free one), or the path of a unix socket. */
  readonly listen: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly secrets: Secrets;
  /** Handlers of one connection that run at once. */
  readonly maxCallsInFlight: number;
  readonly maxConnections?: number;
  /** From a connection's first byte to its token. */
  readonly handshakeTimeoutMs?: number;
  readonly limits?: Partial<LinkLimits>;
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

interface Refusal {
  readonly status: number;
  /** For the other end. */
  readonly text: string;
  /** For the log. */
  readonly why?: string;
}

interface Taken {
  readonly service: ServiceName;
  readonly serve: AnyServe;
  readonly identity: PeerIdentity;
}

/** Listens for channels: one HTTP server, a path for each service, a token for each connection. */
export class ChannelServer {
  readonly #options: ChannelServerOptions;
  readonly #limits: LinkLimits;
  readonly #versions: readonly number[];
  readonly #server: Server;
  readonly #sockets: WebSocketServer;
  readonly #unproven: Unproven;
  readonly #services = new Map<ServiceName, AnyServe>();
  readonly #links = new Set<Link>();
  #closing: Promise<void> | undefined;

  constructor(options: ChannelServerOptions) {
    this.#options = options;
    this.#limits = { ...LINK_LIMITS, ...options.limits };
    this.#versions = options.versions ?? VERSIONS;
    const handshakeTimeoutMs = options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS;
    this.#unproven = new Unproven(handshakeTimeoutMs);
    this.#server = createServer({ maxHeaderSize: 16 * 1024, keepAliveTimeout: 1 }, (_, response) => {
      response
        .writeHead(426, { Connection: 'close', Upgrade: 'websocket' })
        .end('only WebSockets are served here\n');
    });
    this.#server.maxConnections = options.maxConnections ?? MAX_CONNECTIONS;
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
    return this.#links.size;
  }

  /** Ends every connection; resolves when all sockets are closed. Once closed, it stays so. */
  close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      for (const link of this.#links) link.close();
      this.#unproven.destroyAll();
      // Upgraded sockets are the links' own, which cut them `CLOSE_TIMEOUT_MS` after the close frame.
      this.#server.closeAllConnections();
    });
    return this.#closing;
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const decision = await this.#decide(request);
    if (socket.destroyed) return;
    if ('status' in decision) {
      this.#refused(request.socket, decision.status, decision.why ?? decision.text);
      answer(socket, decision);
      return;
    }
    if (this.#closing !== undefined) return void socket.destroy();
    this.#unproven.settle(request.socket);
    this.#sockets.handleUpgrade(request, socket, head, (open) => this.#take(open, request.socket, decision));
  }

  async #decide(request: IncomingMessage): Promise<Refusal | Taken> {
    const { secrets, wallClock = Date.now } = this.#options;
    const service = (request.url ?? '').slice(1);
    if (!isServiceName(service)) return { status: 404, text: 'there is no such service' };
    const verified = await verifyChannelToken(secrets, request.headers.authorization, service, wallClock());
    if (!verified.ok) {
      return {
        status: 401,
        text: 'this needs a token signed with MILLRACE_CHANNEL_SECRET',
        why: verified.why,
      };
    }
    const serve = this.#services.get(service);
    if (serve === undefined) return { status: 404, text: `this process does not serve "${service}"` };
    const offered = offeredSubprotocols(request.headers['sec-websocket-protocol']);
    if (commonSubprotocol(offered, this.#versions) === undefined) {
      const [spoken, asked] = [subprotocols(this.#versions), [...offered]].map((names) => names.join(', '));
      return {
        status: 400,
        text: `this process speaks ${spoken}, not ${asked?.slice(0, 100)}: update in steps of one version`,
      };
    }
    return { service, serve, identity: verified.identity };
  }

  #take(socket: WebSocket, raw: Socket, { service, serve, identity }: Taken): void {
    const { maxCallsInFlight, onError, onGone } = this.#options;
    let answering: Answering | undefined;
    const link = new Link(socket, raw, this.#limits, {
      onText: (text) => answering?.receive(text),
      onGone: (gone) => {
        this.#links.delete(link);
        answering?.end();
        onGone?.(service, gone);
      },
    });
    this.#links.add(link);
    try {
      answering = new Answering(link, { identity, serve, maxCallsInFlight, onError });
    } catch (error) {
      onError(error, `a connection to "${service}"`);
      link.close();
    }
  }

  #refused(socket: Socket, status: number, why: string): void {
    this.#options.onRefused?.({ status, why, from: socket.remoteAddress ?? '' });
  }
}

/** And ends the connection, whether or not the answer is read. */
function answer(socket: Duplex, { status, text }: Refusal): void {
  const body = `${text}\n`;
  socket.once('finish', () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}
