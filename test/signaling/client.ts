import { once } from 'node:events';
import WebSocket, { type ClientOptions } from 'ws';

/** A reply or an event as it came. */
export interface Message {
  readonly version: string;
  readonly err: number;
  readonly err_msg: string;
  readonly method: string;
  readonly stream: string;
  readonly session: string;
  readonly id?: string | number;
  readonly data: Record<string, unknown>;
}

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

const DEADLINE_MS = 5000;

/** A client that speaks the raw protocol, over a real WebSocket. */
export class TestClient {
  readonly socket: WebSocket;
  readonly closed: Promise<Closed>;
  /** As the latest message said. */
  session = '';
  readonly #received: Message[] = [];
  readonly #waiting: ((message: Message) => void)[] = [];

  static async connect(url: string, options: ClientOptions = {}): Promise<TestClient> {
    const client = new TestClient(new WebSocket(url, options));
    await once(client.socket, 'open');
    return client;
  }

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('message', (data) => {
      const message = JSON.parse(data.toString()) as Message;
      this.session = message.session;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) this.#received.push(message);
      else waiting(message);
    });
  }

  /** Sends a request with `version` and `session: ""` unless `fields` say otherwise. */
  send(method: string, stream: string, data: object = {}, fields: object = {}): void {
    this.socket.send(JSON.stringify({ version: '1.0', method, stream, session: '', data, ...fields }));
  }

  /** The next message, whatever it is. */
  async next(): Promise<Message> {
    const message = this.#received.shift();
    if (message !== undefined) return message;
    return within('a message', new Promise<Message>((resolve) => this.#waiting.push(resolve)));
  }

  /** How many messages came that nobody asked for yet. */
  get unread(): number {
    return this.#received.length;
  }

  async request(method: string, stream: string, data: object = {}, fields: object = {}): Promise<Message> {
    this.send(method, stream, data, fields);
    return this.next();
  }

  publish(stream: string, sdp = 'offer', fields: object = {}): Promise<Message> {
    return this.request('stream.publish', stream, { sdp }, fields);
  }

  play(stream: string, sdp = 'offer', fields: object = {}): Promise<Message> {
    return this.request('stream.play', stream, { sdp }, fields);
  }

  heartbeat(fields: object = {}): Promise<Message> {
    return this.request('stream.heartbeat', '', {}, fields);
  }

  /** How the connection ends. */
  end(): Promise<Closed> {
    return within('the end of the connection', this.closed);
  }

  async leave(): Promise<void> {
    this.socket.close();
    await this.end();
  }
}

/** @throws when it takes too long, so that no test hangs */
export async function within<Value>(what: string, promise: Promise<Value>, ms = DEADLINE_MS): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until a condition holds. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited ${DEADLINE_MS} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
