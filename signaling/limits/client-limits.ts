import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { AddressLimit } from './address-limit.ts';
import { type AddressRange, plainAddress, TrustedProxies } from './client-address.ts';

/** TCP connections of one address beyond its WebSockets: the page, /api/v1, handshakes that are under way. */
const HTTP_CONNECTIONS_PER_ADDRESS = 64;

/** What one client address may have open at once, at all addresses of this server together. */
export class ClientLimits {
  readonly #proxies: TrustedProxies;
  readonly #tcp: AddressLimit;
  readonly #webSockets: AddressLimit;

  constructor(options: {
    readonly trustedProxies: readonly AddressRange[];
    readonly connectionsPerAddress: number;
  }) {
    this.#proxies = new TrustedProxies(options.trustedProxies);
    this.#tcp = new AddressLimit(options.connectionsPerAddress + HTTP_CONNECTIONS_PER_ADDRESS);
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
  takeWebSocket({ socket, headers }: IncomingMessage): boolean {
    const peer = plainAddress(socket.remoteAddress ?? '');
    const forwardedFor = headers['x-forwarded-for'];
    const client = this.#proxies.clientAddress(peer, forwardedFor?.toString());
    const release = this.#webSockets.take(client);
    if (release === undefined) return false;
    socket.once('close', release);
    // One that closed before this has told nobody.
    if (socket.destroyed) release();
    return true;
  }
}
