import { once } from 'node:events';
import {
  Agent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { operationOf, type S3Operation } from './s3-operation.ts';
import { signAgain } from './sigv4.ts';

/** What happens to a request. */
export type Fault =
  /** It is answered with that status and S3's code for it, and goes no further. */
  | { readonly type: 'status'; readonly status: number; readonly code: string }
  /** It is read, and never answered. */
  | { readonly type: 'hang' }
  /** Half of its body goes on, then both connections are cut. */
  | { readonly type: 'cut-request' }
  /** Half of the answer's body comes back, then the connection is cut. */
  | { readonly type: 'cut-answer' }
  /** It is done, and the connection is cut instead of an answer. */
  | { readonly type: 'lose-answer' }
  /** Its conditions are left out. */
  | { readonly type: 'ignore-conditions' };

export interface SeenRequest {
  readonly operation: S3Operation;
  readonly path: string;
  /** As the client saw it; undefined where it saw none. */
  status: number | undefined;
  /** By `performance.now`; undefined while it is not answered. */
  readonly startedAtMs: number;
  endedAtMs: number | undefined;
}

const CONDITIONS = ['if-match', 'if-none-match', 'x-amz-copy-source-if-match'];
const SLICES_PER_SECOND = 20;

/** Stands in front of an S3 server, and fails as it is told to. */
export class FaultProxy {
  /** Every request so far. */
  readonly requests: SeenRequest[] = [];
  /** Bytes of bodies, from the client and to it. */
  readonly bytes = { up: 0, down: 0 };
  /** Held down to this, in each direction, all connections together; undefined = as fast as can be. */
  bytesPerSecond: number | undefined;
  /** Called with what has been done and is not answered yet. `true`: whoever asked has gone, and hears nothing. */
  intercept: ((done: SeenRequest) => boolean) | undefined;

  readonly #upstream: { readonly port: number; readonly secret: string };
  readonly #agent = new Agent({ keepAlive: true });
  #server: Server;
  #port = 0;
  #fault: Fault | undefined;
  #only: readonly S3Operation[] | undefined;
  #times = Infinity;
  readonly #freeAtMs = { up: 0, down: 0 };

  private constructor(upstream: { readonly port: number; readonly secret: string }) {
    this.#upstream = upstream;
    this.#server = this.#createServer();
  }

  /** @param upstream where the real server listens, and the secret by which requests to it are signed */
  static async start(upstream: { readonly port: number; readonly secret: string }): Promise<FaultProxy> {
    const proxy = new FaultProxy(upstream);
    await proxy.accept();
    return proxy;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** From now on, for these operations (all by default), so many times. */
  fail(
    fault: Fault,
    options: { readonly only?: readonly S3Operation[]; readonly times?: number } = {},
  ): void {
    this.#fault = fault;
    this.#only = options.only;
    this.#times = options.times ?? Infinity;
  }

  /** Does as a proxy should. */
  heal(): void {
    this.#fault = undefined;
    this.bytesPerSecond = undefined;
  }

  /** Nobody listens any more, and all connections are cut. */
  async refuse(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Listens again, at the same port. */
  async accept(): Promise<void> {
    if (this.#server.listening) return;
    this.#server = this.#createServer();
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('it has no port');
    this.#port = address.port;
  }

  /** How often that was asked for. */
  count(operation: S3Operation): number {
    return this.requests.filter((seen) => seen.operation === operation).length;
  }

  async stop(): Promise<void> {
    if (this.#server.listening) await this.refuse();
    this.#agent.destroy();
  }

  #createServer(): Server {
    return createServer({ requestTimeout: 0 }, (request, response) => {
      const seen: SeenRequest = {
        operation: operationOf(request),
        path: decodeURIComponent(new URL(request.url ?? '', 'http://s3').pathname),
        status: undefined,
        startedAtMs: performance.now(),
        endedAtMs: undefined,
      };
      this.requests.push(seen);
      response.once('finish', () => {
        seen.status = response.statusCode;
        seen.endedAtMs = performance.now();
      });
      // Either end may go at any moment, and then there is nobody to tell.
      this.#handle(request, response, seen).catch(() => response.destroy());
    });
  }

  #faultFor(operation: S3Operation): Fault | undefined {
    if (this.#fault === undefined || this.#times <= 0) return undefined;
    if (this.#only !== undefined && !this.#only.includes(operation)) return undefined;
    this.#times--;
    return this.#fault;
  }

  async #handle(request: IncomingMessage, response: ServerResponse, seen: SeenRequest): Promise<void> {
    const fault = this.#faultFor(seen.operation);
    if (fault?.type === 'hang') {
      request.resume();
      return;
    }
    if (fault?.type === 'status') {
      request.resume();
      await once(request, 'end');
      response.writeHead(fault.status, { 'content-type': 'application/xml' });
      response.end(
        `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>${fault.code}</Message></Error>`,
      );
      return;
    }
    const answer = await this.#forward(request, response, fault);
    if (this.intercept?.(seen) || fault?.type === 'lose-answer') {
      answer.resume();
      await once(answer, 'end');
      response.destroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    const length = Number(answer.headers['content-length'] ?? 0);
    const limit = fault?.type === 'cut-answer' ? Math.floor(length / 2) : Infinity;
    await pipeline(answer, this.#pace('down', limit), response);
  }

  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    fault: Fault | undefined,
  ): Promise<IncomingMessage> {
    const { method = 'GET', url = '/' } = request;
    const headers = { ...request.headers };
    if (fault?.type === 'ignore-conditions') {
      for (const name of CONDITIONS) delete headers[name];
      const signature = signAgain(method, url, headers, this.#upstream.secret);
      if (signature !== undefined) headers.authorization = signature;
    }
    const { port } = this.#upstream;
    const upstream = httpRequest({ host: '127.0.0.1', port, method, path: url, headers, agent: this.#agent });
    response.once('close', () => {
      if (!response.writableFinished) upstream.destroy();
    });
    const answered = once(upstream, 'response') as Promise<[IncomingMessage]>;
    const length = Number(headers['content-length'] ?? 0);
    const limit = fault?.type === 'cut-request' ? Math.floor(length / 2) : Infinity;
    // A refusal may come before the body has gone out.
    const sent = pipeline(request, this.#pace('up', limit), upstream);
    const [answer] = await Promise.race([answered, sent.then(() => answered)]);
    return answer;
  }

  /** Counts what passes, holds it down to the speed that is allowed, and fails behind `limit` bytes. */
  #pace(direction: 'up' | 'down', limit: number): Transform {
    let left = limit;
    const wait = async (bytes: number) => {
      if (this.bytesPerSecond === undefined) return;
      const atMs = Math.max(Date.now(), this.#freeAtMs[direction]);
      this.#freeAtMs[direction] = atMs + (bytes * 1000) / this.bytesPerSecond;
      await new Promise((resolve) => setTimeout(resolve, this.#freeAtMs[direction] - Date.now()).unref());
    };
    const pass = async (transform: Transform, chunk: Buffer) => {
      for (let from = 0; from < chunk.length; ) {
        const { bytesPerSecond = Infinity } = this;
        const size = Math.max(
          1,
          Math.min(chunk.length, Math.floor(bytesPerSecond / SLICES_PER_SECOND), left),
        );
        const slice = chunk.subarray(from, from + size);
        await wait(slice.length);
        if (transform.destroyed) return;
        if (left <= 0) throw new Error('cut');
        transform.push(slice);
        this.bytes[direction] += slice.length;
        left -= slice.length;
        from += slice.length;
      }
    };
    return new Transform({
      transform(chunk: Buffer, _encoding, done) {
        pass(this, chunk).then(() => done(), done);
      },
    });
  }
}
