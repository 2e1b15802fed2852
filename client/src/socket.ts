import type { Clock } from './clock.ts';

/** The part of a WebSocket that is used; the browser's, Node's (22 and later) and that of `ws` all have it. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}
export type WebSocketConstructor = new (url: string) => WebSocketLike;

export interface SocketHandlers {
  open(): void;
  message(text: string): void;
  /** Called once, also when the socket never opened. Nothing is called after it. */
  close(code: number, reason: string): void;
}

/** One WebSocket from its opening to its end, with a deadline on opening and no late events. */
export class Socket {
  readonly #webSocket: WebSocketLike;
  #handlers: SocketHandlers | null;
  readonly #cancelOpenDeadline: () => void;

  constructor(
    WebSocket: WebSocketConstructor,
    url: string,
    handlers: SocketHandlers,
    { clock, openTimeoutMs }: { clock: Clock; openTimeoutMs: number },
  ) {
    this.#handlers = handlers;
    this.#webSocket = new WebSocket(url);
    this.#cancelOpenDeadline = clock.after(openTimeoutMs, () =>
      this.#end(1006, `no connection within ${openTimeoutMs} ms`),
    );
    this.#webSocket.onopen = () => {
      this.#cancelOpenDeadline();
      this.#handlers?.open();
    };
    this.#webSocket.onmessage = (event: { readonly data: unknown }) => {
      if (typeof event.data === 'string') this.#handlers?.message(event.data);
    };
    // The close event that follows says all there is to know; without a listener `ws` would throw.
    this.#webSocket.onerror = () => {};
    this.#webSocket.onclose = (event: { readonly code: number; readonly reason: string }) =>
      this.#end(event.code, event.reason);
  }

  send(text: string): void {
    this.#webSocket.send(text);
  }

  /** Ends the connection from this side; the close handler is told at once, with 1006. */
  abandon(reason: string): void {
    this.#end(1006, reason);
  }

  /** Ends the connection without telling the handlers. */
  close(): void {
    this.#handlers = null;
    this.#end(1000, '');
  }

  #end(code: number, reason: string): void {
    const handlers = this.#handlers;
    this.#handlers = null;
    this.#cancelOpenDeadline();
    this.#webSocket.close(1000);
    handlers?.close(code, reason);
  }
}
