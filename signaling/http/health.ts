import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry as MetricsRegistry } from 'prom-client';
import type { ListenAddress } from '../settings.ts';

/** /metrics, /livez and /readyz, on an address of their own that clients need not reach. */
export class HealthServer {
  readonly #address: ListenAddress;
  readonly #metrics: MetricsRegistry;
  readonly #ready: () => boolean;
  readonly #server: Server;

  /** @param ready whether new clients should be sent here; a registry that is away changes nothing about that */
  constructor(address: ListenAddress, metrics: MetricsRegistry, ready: () => boolean) {
    this.#address = address;
    this.#metrics = metrics;
    this.#ready = ready;
    this.#server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        if (!response.headersSent) response.writeHead(500);
        response.end(String(error));
      });
    });
    this.#server.maxConnections = 64;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: this.#address.host, port: this.#address.port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    } else if (path === '/livez') {
      text(response, 200, 'alive\n');
    } else if (path === '/readyz') {
      const ready = this.#ready();
      text(response, ready ? 200 : 503, ready ? 'ready\n' : 'shutting down\n');
    } else if (path === '/metrics') {
      text(response, 200, await this.#metrics.metrics(), this.#metrics.contentType);
    } else {
      text(response, 404, 'here are /metrics, /livez and /readyz\n');
    }
  }
}

function text(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8',
): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
}
