import type { Socket } from 'node:net';

/** Connections at once that have not shown a token yet, of one address and of all. */
const MAX_OF_ADDRESS = 64;
const MAX = 1024;

/**
 * Connections that have not shown a token yet: few at once and not for long, so that whoever has none
 * cannot keep those out that have one.
 */
export class Unproven {
  readonly #timeoutMs: number;
  /** By what names a connection: over TLS there are two sockets of one. */
  readonly #waiting = new Map<unknown, Waiting>();
  readonly #ofAddress = new Map<string, number>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** @returns false when there are too many; the socket is destroyed then */
  add(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    const taken = this.#ofAddress.get(address) ?? 0;
    if (taken >= MAX_OF_ADDRESS || this.#waiting.size >= MAX) {
      socket.destroy();
      return false;
    }
    this.#ofAddress.set(address, taken + 1);
    // From the first byte to the last of the handshake: one byte now and then buys no time.
    const timer = setTimeout(() => socket.destroy(), this.#timeoutMs);
    const name = nameOf(socket);
    this.#waiting.set(name, { socket, address, timer });
    socket.once('close', () => this.#remove(name, socket));
    return true;
  }

  /** It has shown its token. */
  settle(socket: Socket): void {
    this.#remove(nameOf(socket));
  }

  destroyAll(): void {
    for (const { socket } of [...this.#waiting.values()]) socket.destroy();
  }

  /** @param socket only if it is still this one's: addresses and ports are used again */
  #remove(name: unknown, socket?: Socket): void {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined || (socket !== undefined && waiting.socket !== socket)) return;
    clearTimeout(waiting.timer);
    this.#waiting.delete(name);
    const left = (this.#ofAddress.get(waiting.address) ?? 1) - 1;
    if (left === 0) this.#ofAddress.delete(waiting.address);
    else this.#ofAddress.set(waiting.address, left);
  }
}

interface Waiting {
  readonly socket: Socket;
  readonly address: string;
  readonly timer: NodeJS.Timeout;
}

function nameOf(socket: Socket): unknown {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined ? socket : `${remoteAddress} ${remotePort}`;
}
