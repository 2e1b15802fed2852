import type { Socket } from 'node:net';
import type WebSocket from 'ws';
import { CLOSE, type Gone } from './gone.ts';
import { Link } from './link.ts';

export interface ConnectionLimits {
  /** Between two heartbeats; three without an answer end the connection. */
  readonly heartbeatMs: number;
  /** A longer message is not sent, and ends the connection when it is received. */
  readonly maxMessageBytes: number;
  /** What is kept until the other end has it; beyond that the connection ends. */
  readonly maxBufferedBytes: number;
  /** How long the end that was dialled waits for another socket after it lost one. */
  readonly resumeMs: number;
}

export const CONNECTION_LIMITS: ConnectionLimits = {
  heartbeatMs: 500,
  maxMessageBytes: 4 * 1024 ** 2,
  maxBufferedBytes: 16 * 1024 ** 2,
  // A process that was held up for so long, or moved to another machine as it ran, comes back to what it had.
  resumeMs: 10_000,
};

export interface ConnectionEvents {
  readonly onText: (text: string) => void;
  /** The socket broke. Another may be attached. */
  readonly onBroken: (gone: Gone) => void;
  /** Once, when the connection is gone for good. */
  readonly onGone: (gone: Gone) => void;
}

/**
 * One end of a connection, which outlives a broken socket: messages are counted and kept until the other end
 * has them, and what it lacks is sent again over the next socket. So nothing is lost and nothing comes twice,
 * calls in flight stay in flight, and what belongs to a connection stays.
 */
export class Connection {
  readonly #limits: ConnectionLimits;
  readonly #events: ConnectionEvents;
  /** Sent, and not known to have arrived. */
  readonly #kept: Buffer[] = [];
  #keptBytes = 0;
  /** Messages that the other end has. */
  #acknowledged = 0;
  #received = 0;
  #link: Link | undefined;
  #gone = false;

  constructor(limits: ConnectionLimits, events: ConnectionEvents) {
    this.#limits = limits;
    this.#events = events;
  }

  /** Messages that this end has. */
  get received(): number {
    return this.#received;
  }

  /** @returns 'too_large' for a message that the other end would not take; it is not sent then */
  send(text: string): 'sent' | 'too_large' | 'gone' {
    if (this.#gone) return 'gone';
    const message = Buffer.from(text);
    if (message.length > this.#limits.maxMessageBytes) return 'too_large';
    if (this.#keptBytes + message.length > this.#limits.maxBufferedBytes) {
      const detail = `more than ${this.#limits.maxBufferedBytes} bytes wait to be read`;
      this.end({ why: 'slow_reader', detail }, CLOSE.slowReader);
      return 'gone';
    }
    this.#kept.push(message);
    this.#keptBytes += message.length;
    this.#link?.send(message);
    return 'sent';
  }

  /** Lets go of the socket that is there; after that `received` stands still. */
  detach(): void {
    this.#link?.drop();
    this.#link = undefined;
  }

  /** @param theirs how many messages of this end the other end has */
  attach(socket: WebSocket, raw: Socket, theirs: number): void {
    this.detach();
    if (this.#gone) {
      socket.terminate();
      return;
    }
    const link = new Link(socket, raw, this.#limits.heartbeatMs, {
      onText: (text) => {
        this.#received += 1;
        this.#events.onText(text);
      },
      onAcknowledged: (messages) => this.#acknowledge(messages),
      received: () => this.#received,
      onEnd: (gone) => {
        this.#link = undefined;
        if (gone.why === 'reset' || gone.why === 'silent') this.#events.onBroken(gone);
        else this.end(gone);
      },
    });
    this.#link = link;
    if (this.#acknowledge(theirs)) for (const message of this.#kept) link.send(message);
  }

  /** The other end broke the protocol. */
  breach(detail: string): void {
    this.end({ why: 'protocol', detail }, CLOSE.protocol);
  }

  close(): void {
    this.end({ why: 'closed_here', detail: '' });
  }

  /** @param code what the other end is told, if it can be told anything */
  end(gone: Gone, code: number = CLOSE.going): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#link?.close(code, gone);
    this.#link = undefined;
    this.#kept.length = 0;
    this.#keptBytes = 0;
    this.#events.onGone(gone);
  }

  /** @returns false when the number cannot be; the connection is ended then */
  #acknowledge(messages: number): boolean {
    const more = messages - this.#acknowledged;
    if (more < 0 || more > this.#kept.length) {
      this.breach('it acknowledges what was never sent');
      return false;
    }
    for (const message of this.#kept.splice(0, more)) this.#keptBytes -= message.length;
    this.#acknowledged = messages;
    return true;
  }
}
