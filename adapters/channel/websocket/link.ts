import type { Socket } from 'node:net';
import type WebSocket from 'ws';
import { type Gone, goneOf } from './gone.ts';
import { Heartbeat } from './heartbeat.ts';

export interface LinkEvents {
  readonly onText: (text: string) => void;
  /** The other end has this many of our messages. */
  readonly onAcknowledged: (messages: number) => void;
  /** How many of its messages the other end is to be told that we have. */
  readonly received: () => number;
  /** Once, when the socket is of no use any more. */
  readonly onEnd: (gone: Gone) => void;
}

/** After so many bytes the other end is told at once what it need not keep any more. */
const ACKNOWLEDGE_BYTES = 256 * 1024;

/**
 * One open socket: text both ways, watched by heartbeats. What was received is acknowledged by what the pings
 * carry (RFC 6455 section 5.5.2): the number of messages, in decimal.
 */
export class Link {
  readonly #socket: WebSocket;
  readonly #events: LinkEvents;
  readonly #heartbeat: Heartbeat;
  #ended = false;
  #trouble = '';
  #unacknowledgedBytes = 0;

  /** @param raw what `socket` stands on, for the bytes that came in */
  constructor(socket: WebSocket, raw: Socket, heartbeatMs: number, events: LinkEvents) {
    this.#socket = socket;
    this.#events = events;
    // Frames are small and wait for nobody (RFC 896 would hold a reply back for an acknowledgement).
    raw.setNoDelay(true);
    socket.on('message', (data: Buffer, isBinary) => this.#receive(data, isBinary));
    socket.on('ping', (data) => {
      const messages = /^\d{1,15}$/.test(data.toString('latin1'))
        ? Number(data.toString('latin1'))
        : undefined;
      if (messages !== undefined && !this.#ended) events.onAcknowledged(messages);
    });
    socket.on('error', ({ message }) => {
      this.#trouble = message;
    });
    socket.on('close', (code, reason) => this.#end(goneOf(code, this.#trouble || reason.toString())));
    this.#heartbeat = new Heartbeat({
      intervalMs: heartbeatMs,
      ping: () => this.#acknowledge(),
      bytesRead: () => raw.bytesRead,
      onSilent: () => {
        this.#end({ why: 'silent', detail: `three heartbeats of ${heartbeatMs} ms missed` });
        socket.terminate();
      },
    });
  }

  send(message: Buffer): void {
    if (!this.#ended) this.#socket.send(message, { binary: false });
  }

  /** Tells the other end why, and ends with `gone`. */
  close(code: number, gone: Gone): void {
    if (this.#ended) return;
    // A close frame has room for 123 bytes.
    this.#socket.close(code, gone.detail.slice(0, 40));
    this.#end(gone);
  }

  /** Without a word, and without `onEnd`: another link takes over. */
  drop(): void {
    this.#ended = true;
    this.#heartbeat.stop();
    this.#socket.terminate();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.#ended) return;
    // Nothing is sent as bytes by whoever speaks the protocol.
    this.#events.onText(isBinary ? '' : data.toString());
    this.#unacknowledgedBytes += data.length;
    if (this.#unacknowledgedBytes > ACKNOWLEDGE_BYTES) this.#acknowledge();
  }

  #acknowledge(): void {
    if (this.#ended) return;
    this.#unacknowledgedBytes = 0;
    this.#socket.ping(String(this.#events.received()));
  }

  #end(gone: Gone): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#heartbeat.stop();
    this.#events.onEnd(gone);
  }
}
