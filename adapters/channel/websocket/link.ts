import type { Socket } from 'node:net';
import type WebSocket from 'ws';
import { Heartbeat } from './heartbeat.ts';

export interface LinkLimits {
  /** Between two heartbeats; three without an answer end the connection. */
  readonly heartbeatMs: number;
  /** A longer message is not sent, and ends the connection when it is received. */
  readonly maxMessageBytes: number;
  /** What is held for an end that reads slowly; beyond that the connection ends. */
  readonly maxBufferedBytes: number;
}

export const LINK_LIMITS: LinkLimits = {
  heartbeatMs: 200,
  maxMessageBytes: 4 * 1024 ** 2,
  maxBufferedBytes: 16 * 1024 ** 2,
};

/** Why a connection is gone. */
export interface Gone {
  readonly why: /** Closed at this end. */
    | 'closed_here'
    /** Closed by the other end in good order. */
    | 'closed_there'
    /** Nobody listens at the address. */
    | 'refused'
    /** Whoever listens did not take the connection: its token, its service or its version. */
    | 'rejected'
    /** The connection broke: the other process ended, or something between. */
    | 'reset'
    /** Three heartbeats without an answer, or no answer to the opening handshake. */
    | 'silent'
    /** The other end did not speak the protocol, or said that this one does not. */
    | 'protocol'
    /** The other end read more slowly than this one wrote. */
    | 'slow_reader';
  readonly detail: string;
}

/** Close codes of the application's range (RFC 6455 section 7.4.2). */
export const CLOSE = { going: 1001, protocol: 4000, slowReader: 4001 } as const;

/** For the answer to a close frame. */
export const CLOSE_TIMEOUT_MS = 1000;

/** One open socket: text both ways, all of it bounded, watched by heartbeats. */
export class Link {
  readonly #socket: WebSocket;
  readonly #limits: LinkLimits;
  readonly #heartbeat: Heartbeat;
  readonly #onGone: (gone: Gone) => void;
  #gone = false;
  #broken = '';

  /** @param raw what `socket` stands on, for the bytes that came in */
  constructor(
    socket: WebSocket,
    raw: Socket,
    limits: LinkLimits,
    { onText, onGone }: { onText: (text: string) => void; onGone: (gone: Gone) => void },
  ) {
    this.#socket = socket;
    this.#limits = limits;
    this.#onGone = onGone;
    // Frames are small and wait for nobody (RFC 896 would hold a reply back for an acknowledgement).
    raw.setNoDelay(true);
    socket.on('message', (data: Buffer, isBinary) => {
      if (this.#gone) return;
      if (isBinary) this.breach('a message that is not text');
      else onText(data.toString());
    });
    socket.on('error', ({ message }) => {
      this.#broken = message;
    });
    socket.on('close', (code, reason) => this.#end(causeOf(code, this.#broken || reason.toString())));
    this.#heartbeat = new Heartbeat({
      intervalMs: limits.heartbeatMs,
      ping: () => socket.ping(),
      bytesRead: () => raw.bytesRead,
      onSilent: () => {
        this.#end({ why: 'silent', detail: `no heartbeat for ${3 * limits.heartbeatMs} ms` });
        socket.terminate();
      },
    });
  }

  /** @returns 'too_large' for a message that the other end would not take; it is not sent then */
  send(text: string): 'sent' | 'too_large' | 'gone' {
    if (this.#gone) return 'gone';
    const bytes = Buffer.from(text);
    if (bytes.length > this.#limits.maxMessageBytes) return 'too_large';
    if (this.#socket.bufferedAmount + bytes.length > this.#limits.maxBufferedBytes) {
      const detail = `more than ${this.#limits.maxBufferedBytes} bytes wait to be read`;
      this.#close(CLOSE.slowReader, { why: 'slow_reader', detail });
      return 'gone';
    }
    this.#socket.send(bytes, { binary: false });
    return 'sent';
  }

  /** The other end broke the protocol. */
  breach(detail: string): void {
    this.#close(CLOSE.protocol, { why: 'protocol', detail });
  }

  close(): void {
    this.#close(CLOSE.going, { why: 'closed_here', detail: '' });
  }

  #close(code: number, gone: Gone): void {
    if (this.#gone) return;
    this.#socket.close(code, gone.detail.slice(0, 100));
    this.#end(gone);
  }

  #end(gone: Gone): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#heartbeat.stop();
    this.#onGone(gone);
  }
}

function causeOf(code: number, detail: string): Gone {
  if (code === CLOSE.going || code === 1000 || code === 1005) return { why: 'closed_there', detail };
  if (code === 1006) return { why: 'reset', detail };
  return { why: 'protocol', detail: `closed with ${code} ${detail}`.trim() };
}
