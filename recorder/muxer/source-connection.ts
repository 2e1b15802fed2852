import { connect, type Socket } from 'node:net';
import type { MuxerRequest, SourceEvent } from '../source-event.ts';
import { encodeMuxerRequest, sourceEventDecoder } from '../source-stream.ts';

export interface SourceConnectionOptions {
  readonly socketPath: string;
  readonly onEvent: (event: SourceEvent) => void;
  /** No more events come from the receiver that there was; the next one is being looked for. */
  readonly onLost: (reason: string) => void;
}

const RETRY_MS = 100;
/** Requests are small, and there are few; a receiver that takes none is none. */
const MAX_UNSENT_BYTES = 64 * 1024;

/** The connection to the receiver, made again and again while receivers come and go. */
export class SourceConnection {
  readonly #options: SourceConnectionOptions;
  #socket: Socket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SourceConnectionOptions) {
    this.#options = options;
    this.#connect();
  }

  /** Nothing is sent while there is no receiver: the next one is asked anew. */
  request(request: MuxerRequest): void {
    const socket = this.#socket;
    if (socket === undefined || socket.connecting) return;
    if (socket.writableLength > MAX_UNSENT_BYTES) socket.destroy();
    else socket.write(encodeMuxerRequest(request));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #connect(): void {
    const socket = connect(this.#options.socketPath);
    const decode = sourceEventDecoder();
    this.#socket = socket;
    let reason = 'the receiver closed the connection';
    socket.on('data', (bytes) => {
      try {
        for (const event of decode(bytes)) {
          if (this.#socket !== socket) return;
          this.#options.onEvent(event);
        }
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on('error', (error) => {
      reason = error.message;
    });
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#options.onLost(reason);
      if (!this.#closed) this.#retry = setTimeout(() => this.#connect(), RETRY_MS);
    });
  }
}
