import type { WebSocket } from 'ws';
import { CLOSE_CODES, type Handshake } from '../core/protocol/index.ts';
import { Connection, type ConnectionContext } from './connection.ts';
import type { SessionStore } from './session-store.ts';

/** Sockets above the limit that are being told so; further ones are refused before the handshake. */
const REFUSING = 64;
const LEAVE_TICK_MS = 50;

/** All open WebSockets of this process, within their limit. */
export class Connections {
  readonly #context: ConnectionContext;
  readonly #limit: number;
  readonly #all = new Set<Connection>();
  #refusing = 0;
  #closed = false;

  constructor(context: Omit<ConnectionContext, 'onGone'>, sessions: SessionStore) {
    this.#limit = context.settings.limits.connections;
    this.#context = {
      ...context,
      onGone: (connection) => {
        this.#all.delete(connection);
        if (connection.session !== undefined) sessions.detach(connection.session, connection);
      },
    };
  }

  get size(): number {
    return this.#all.size;
  }

  admits(): boolean {
    return !this.#closed && (this.#all.size < this.#limit || this.#refusing < REFUSING);
  }

  add(socket: WebSocket, handshake: Handshake): void {
    if (this.#all.size < this.#limit && !this.#closed) {
      this.#all.add(new Connection(socket, handshake, this.#context));
      return;
    }
    // A browser's page can read this code, but not the status of a refused handshake.
    this.#refusing += 1;
    this.#context.metrics.limits.inc({ limit: 'connections' });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#refusing -= 1;
    });
    socket.close(CLOSE_CODES.try_again_later, 'too many connections; come back later');
  }

  sweep(nowMs: number): void {
    for (const connection of this.#all) connection.sweep(nowMs);
  }

  /** Sends the clients to other processes, one after another over `spreadMs`, and takes no others. */
  async leave(spreadMs: number): Promise<void> {
    this.#closed = true;
    const all = [...this.#all];
    const atOnce = Math.max(1, Math.ceil((all.length * LEAVE_TICK_MS) / Math.max(LEAVE_TICK_MS, spreadMs)));
    for (let from = 0; from < all.length; from += atOnce) {
      for (const connection of all.slice(from, from + atOnce)) {
        connection.close(
          'service_restart',
          'this server is to end; connect again and go on with your session',
        );
      }
      await new Promise((resolve) => setTimeout(resolve, LEAVE_TICK_MS));
    }
  }

  /** Closes every socket with 1012. What comes on one afterwards is not read. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#all) {
      connection.close('service_restart', 'the server restarts; connect again');
    }
  }

  /** Ends what did not answer the close within `timeoutMs`. */
  async drain(timeoutMs: number): Promise<void> {
    const endMs = this.#context.now() + timeoutMs;
    while (this.#all.size > 0 && this.#context.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    for (const connection of this.#all) connection.terminate();
  }
}
