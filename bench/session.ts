const REPLY_TIMEOUT_MS = 40_000;

interface Reply {
  readonly err: number;
  readonly err_msg: string;
  readonly id?: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A plain client of a server's WebSocket, docs/protocol.md. */
export class Session {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #lastId = 0;

  static async open(url: string): Promise<Session> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error(`no connection to ${url}`)), { once: true });
    });
    return new Session(socket);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const reply: Reply = JSON.parse(String(data));
      this.#waiting.get(reply.id ?? 0)?.(reply);
    });
  }

  /** @throws Error with the server's words, or when it does not answer */
  async request(method: string, stream: string, data: object): Promise<Reply['data']> {
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const timer = setTimeout(() => reject(new Error(`no reply to ${method}`)), REPLY_TIMEOUT_MS);
    this.#waiting.set(id, resolve);
    this.#socket.send(JSON.stringify({ version: '1.0', method, stream, session: '', id, data }));
    const reply = await promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    });
    if (reply.err !== 0) throw new Error(`${method} of ${stream}: ${reply.err_msg}`);
    return reply.data;
  }

  close(): void {
    this.#socket.close();
  }
}
