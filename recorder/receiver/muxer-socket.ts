import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import type { MuxerRequest } from '../source-event.ts';
import { muxerRequestDecoder } from '../source-stream.ts';
import { withDeadline } from './deadline.ts';
import type { EventLog } from './event-log.ts';

const LISTEN_TIMEOUT_MS = 2000;

export interface MuxerSocketOptions {
  readonly path: string;
  readonly events: EventLog;
  readonly log: Logger;
  readonly onRequest: (request: MuxerRequest) => void;
}

/**
 * Where a muxer connects, over a unix socket: it gets what the log has, and then what comes. The one that came
 * last is served. One that reads so slowly that the log forgets what it has not had yet is cut off.
 */
export class MuxerSocket {
  readonly #options: MuxerSocketOptions;
  readonly #server: Server;
  #muxer: { readonly socket: Socket; next: number } | undefined;
  #closed = false;

  /** @throws Error when the socket cannot be made */
  static async listen(options: MuxerSocketOptions): Promise<MuxerSocket> {
    // A killed predecessor leaves its socket behind.
    rmSync(options.path, { force: true });
    const muxerSocket = new MuxerSocket(options);
    const server = muxerSocket.#server;
    const listening = new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.path, resolve);
    });
    await withDeadline(`listening at ${options.path}`, LISTEN_TIMEOUT_MS, listening);
    server.on('error', (error) => options.log.error({ err: error }, 'socket for muxers failed'));
    return muxerSocket;
  }

  private constructor(options: MuxerSocketOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#take(socket));
  }

  /**
   * Gives the muxer what it has not had yet. To be called some times a second, and not for each packet: what
   * costs is that two processes wake up.
   */
  send(): void {
    if (this.#cutIfBehind()) return;
    const muxer = this.#muxer;
    if (!muxer) return;
    const { events } = this.#options;
    const { socket } = muxer;
    socket.cork();
    while (muxer.next < events.next && !socket.writableNeedDrain) socket.write(events.frame(muxer.next++));
    socket.uncork();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    this.#muxer?.socket.destroy();
    this.#muxer = undefined;
  }

  #take(socket: Socket): void {
    const { events, log } = this.#options;
    this.#muxer?.socket.destroy();
    this.#muxer = { socket, next: events.first };
    log.info({ replayed: events.next - events.first }, 'muxer connected');
    const decode = muxerRequestDecoder();
    socket.on('data', (bytes) => {
      if (this.#muxer?.socket !== socket) return;
      try {
        for (const request of decode(bytes)) this.#request(request);
      } catch (error) {
        log.error({ err: error }, 'muxer cut off: it does not speak to a receiver');
        socket.destroy();
      }
    });
    // The close that follows says enough.
    socket.on('error', () => {});
    socket.on('drain', () => this.send());
    socket.on('close', () => {
      if (this.#muxer?.socket !== socket) return;
      this.#muxer = undefined;
      log.info('muxer gone');
    });
    for (const frame of events.preamble()) socket.write(frame);
    this.send();
  }

  #request(request: MuxerRequest): void {
    if (request.type === 'durable') this.#durable(request.atMs);
    else this.#options.onRequest(request);
  }

  #durable(atMs: number): void {
    this.#options.events.durable(atMs);
    this.#cutIfBehind();
  }

  /** @returns whether there is no muxer any more */
  #cutIfBehind(): boolean {
    const muxer = this.#muxer;
    if (!muxer) return true;
    if (muxer.next >= this.#options.events.first) return false;
    this.#options.log.error('muxer cut off: it reads too slowly');
    muxer.socket.destroy();
    this.#muxer = undefined;
    return true;
  }
}
