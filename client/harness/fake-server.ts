import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

export interface SeenRequest {
  readonly version: string;
  readonly id: number;
  readonly method: string;
  readonly stream: string;
  readonly session: string;
  readonly token?: string;
  readonly data: Record<string, unknown>;
  /** Which connection brought it, 0 = the first. */
  readonly connection: number;
}
/** What a reply says; `null` = no reply at all. */
export type Answer = { readonly err?: number; readonly data?: Record<string, unknown> } | null;

/** A server that speaks the protocol's envelope and lets a test decide every answer. */
export class FakeServer {
  readonly requests: SeenRequest[] = [];
  readonly addresses: string[] = [];
  /** The id that is given to connections which bring none, or one that is not known. */
  session = 'session-1';
  answer: (request: SeenRequest) => Answer | Promise<Answer> = () => ({});
  readonly url: string;
  readonly #server: WebSocketServer;
  readonly #sockets: WebSocket[] = [];
  readonly #watchers = new Set<() => void>();

  private constructor(server: WebSocketServer) {
    this.#server = server;
    // A server that listens on a port has an AddressInfo.
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
    server.on('connection', (socket, request) => {
      const connection = this.#sockets.push(socket) - 1;
      this.addresses.push(request.url ?? '');
      socket.on('message', (text) => void this.#onMessage(socket, connection, String(text)));
      this.#changed();
    });
  }

  static async start(): Promise<FakeServer> {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    return new FakeServer(server);
  }

  get connections(): number {
    return this.#sockets.length;
  }

  /** All requests of a method so far. */
  of(method: string): SeenRequest[] {
    return this.requests.filter((request) => request.method === method);
  }

  /** Waits until something is as a test needs it, asking again after each thing that happens. */
  async until(met: () => boolean, timeoutMs = 5000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!met()) {
      if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${met.toString()}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#watchers.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, 20);
        this.#watchers.add(wake);
      });
    }
  }

  event(method: string, stream: string, data: Record<string, unknown> = {}): void {
    this.#sockets
      .at(-1)
      ?.send(JSON.stringify({ version: '1.0', method, stream, session: this.session, data }));
  }

  /** Ends the newest connection; 1006 = without a closing handshake. */
  drop(code: number, reason = ''): void {
    const socket = this.#sockets.at(-1);
    if (code === 1006) socket?.terminate();
    else socket?.close(code, reason);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #onMessage(socket: WebSocket, connection: number, text: string): Promise<void> {
    const request = { ...JSON.parse(text), connection } as SeenRequest;
    this.requests.push(request);
    this.#changed();
    const answer = await this.answer(request);
    if (answer === null) return;
    const { err = 0, data = {} } = answer;
    const { method, stream, id } = request;
    const message = err === 0 ? 'succeed' : `refused with ${err}`;
    socket.send(
      JSON.stringify({
        version: '1.0',
        err,
        err_msg: message,
        method,
        stream,
        session: this.session,
        id,
        data: err === 0 ? data : {},
      }),
    );
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
