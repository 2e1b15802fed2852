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
  readonly #waiting = new Map<Socket, { readonly address: string; readonly timer: NodeJS.Timeout }>();
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
    this.#waiting.set(socket, { address, timer });
    socket.once('close', () => this.settle(socket));
    return true;
  }

  /** It has shown its token, or is gone. */
  settle(socket: Socket): void {
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) return;
    const { address, timer } = waiting;
    clearTimeout(timer);
    this.#waiting.delete(socket);
    const left = (this.#ofAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#ofAddress.delete(address);
    else this.#ofAddress.set(address, left);
  }

  destroyAll(): void {
    for (const socket of [...this.#waiting.keys()]) socket.destroy();
  }
}
