import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { AddressLimit } from './address-limit.ts';
import { AddressRate } from './address-rate.ts';
import { type AddressRange, plainAddress, TrustedProxies } from './client-address.ts';

/** TCP connections of one address beyond its WebSockets: the page, /api/v1, handshakes that are under way. */
const HTTP_CONNECTIONS_PER_ADDRESS = 64;

/** What one client address may have open at once, at all addresses of this server together. */
export class ClientLimits {
  readonly #proxies: TrustedProxies;
  readonly #tcp: AddressLimit;
  readonly #webSockets: AddressLimit;
  readonly #requests: AddressRate;
  readonly #now: () => number;

  constructor(options: {
    readonly trustedProxies: readonly AddressRange[];
    readonly connectionsPerAddress: number;
    readonly httpRequestsPerSecond: number;
    /** Milliseconds that never go back. */
    readonly now: () => number;
  }) {
    this.#proxies = new TrustedProxies(options.trustedProxies);
    this.#tcp = new AddressLimit(options.connectionsPerAddress + HTTP_CONNECTIONS_PER_ADDRESS);
    this.#requests = new AddressRate(options.httpRequestsPerSecond);
    this.#now = options.now;
    this.#webSockets = new AddressLimit(options.connectionsPerAddress);
  }

  /** A TCP connection, until it closes; a proxy has as many as its clients need. @returns false = one too many */
  takeConnection(socket: Socket): boolean {
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (this.#proxies.trusts(peer)) return true;
    const release = this.#tcp.take(peer);
    if (release === undefined) return false;
    socket.once('close', release);
    return true;
  }

  /** A WebSocket, until its connection closes. @returns false = one too many */
  takeWebSocket(request: IncomingMessage): boolean {
    const { socket } = request;
    const release = this.#webSockets.take(this.#clientOf(request));
    if (release === undefined) return false;
    socket.once('close', release);
    // One that closed before this has told nobody.
    if (socket.destroyed) release();
    return true;
  }

  /** @returns false = this address asks too often */
  takeRequest(request: IncomingMessage): boolean {
    return this.#requests.spend(this.#clientOf(request), this.#now());
  }

  #clientOf({ socket, headers }: IncomingMessage): string {
    const peer = plainAddress(socket.remoteAddress ?? '');
    return this.#proxies.clientAddress(peer, headers['x-forwarded-for']?.toString());
  }
}
