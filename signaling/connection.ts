import { isUtf8 } from 'node:buffer';
import type WebSocket from 'ws';
import type { Identity } from '../core/auth/index.ts';
import {
  Allowance,
  CLOSE_CODES,
  type CloseReason,
  decodeRequest,
  encodeError,
  type Handshake,
  MillraceError,
  type ReplyMethod,
  type RequestEcho,
} from '../core/protocol/index.ts';
import { eventText, type StreamEvent } from './events.ts';
import { closeCodeLabel, type SignalingMetrics } from './metrics.ts';
import { ReplyOrder } from './reply-order.ts';
import type { Requester, Requests } from './requests.ts';
import type { Session } from './session.ts';
import type { SignalingSettings } from './settings.ts';

/** What all connections share. */
export interface ConnectionContext {
  readonly settings: SignalingSettings;
  readonly requests: Requests;
  readonly metrics: SignalingMetrics;
  readonly now: () => number;
  /** The socket is gone. */
  readonly onGone: (connection: Connection) => void;
}

const BAD_MESSAGE_REFILL_MS = 5000;
/** A client that comes back asks for all of its streams at once. */
const BURST_S = 3;
/** Reading a message, an SDP above all, takes time by its length: a long one counts as several requests. */
const BYTES_PER_REQUEST = 16 * 1024;

/** One client's WebSocket: text in, replies in their order and events out, all of it bounded. */
export class Connection implements Requester {
  readonly replyMethod: ReplyMethod;
  readonly events: boolean;
  readonly token: string | undefined;
  identity: Identity | undefined;
  shownToken: string | undefined;
  session: Session | undefined;
  admission: Promise<unknown> | undefined;
  closing = false;
  readonly #socket: WebSocket;
  readonly #context: ConnectionContext;
  readonly #order = new ReplyOrder();
  #allowance: Allowance | undefined;
  #rate: Allowance | undefined;
  #pending = 0;
  /** The code it was closed with from this end; a client that reads nothing never confirms it. */
  #closedWith: number | undefined;
  #heardAtMs: number;
  #pingedAtMs: number;

  constructor(socket: WebSocket, handshake: Handshake, context: ConnectionContext) {
    this.replyMethod = handshake.replyMethod;
    this.events = handshake.events;
    this.token = handshake.token;
    this.#socket = socket;
    this.#context = context;
    this.#heardAtMs = context.now();
    this.#pingedAtMs = this.#heardAtMs;
    // Buffers, as the socket's binaryType is left at its default.
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary));
    socket.on('pong', () => {
      this.#heardAtMs = context.now();
    });
    // A message that breaks the protocol's frame or is too large: the socket closes itself with the fitting code.
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code !== 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return;
      this.#closedWith = CLOSE_CODES.message_too_large;
      context.metrics.limits.inc({ limit: 'message_bytes' });
    });
    socket.on('close', (code) => {
      this.closing = true;
      context.metrics.closes.inc({ code: closeCodeLabel(this.#closedWith ?? code) });
      context.onGone(this);
    });
  }

  /** Pings what is due, and ends what did not answer the ping before. */
  sweep(nowMs: number): void {
    if (this.closing || nowMs - this.#pingedAtMs < this.#context.settings.pingIntervalMs) return;
    if (this.#heardAtMs < this.#pingedAtMs) {
      this.#socket.terminate();
      return;
    }
    this.#pingedAtMs = nowMs;
    this.#socket.ping();
  }

  sendEvent(event: StreamEvent): void {
    this.#context.metrics.events.inc({ method: event.method });
    this.#send(eventText(event, this.session?.id ?? ''));
  }

  close(reason: CloseReason, text: string): void {
    if (this.closing) return;
    this.closing = true;
    this.#closedWith = CLOSE_CODES[reason];
    this.#socket.close(this.#closedWith, text);
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (this.closing) return;
    const { settings, requests, metrics, now } = this.#context;
    this.#heardAtMs = now();
    if (isBinary || !isUtf8(data)) {
      this.close('unsupported_data', 'send JSON as text, in UTF-8');
      return;
    }
    const decoded = decodeRequest(data.toString());
    if (!decoded.ok) {
      this.#refuse(decoded.echo, decoded.error);
      return;
    }
    const { request } = decoded;
    if (!this.#withinRate(data.length)) {
      const { requestsPerSecond } = settings.limits;
      const text =
        `more than ${requestsPerSecond} requests a second, each ${BYTES_PER_REQUEST / 1024} KiB of a message counted ` +
        'as one; wait a second, then send fewer or shorter ones';
      metrics.limits.inc({ limit: 'request_rate' });
      this.#refuse(request, new MillraceError('too_many', text));
      return;
    }
    if (this.#pending >= settings.limits.queuedRequests) {
      metrics.limits.inc({ limit: 'queued_requests' });
      const text = `${this.#pending} requests of this connection wait for their reply already; wait for some`;
      this.#refuse(request, new MillraceError('too_many', text));
      return;
    }
    this.#pending += 1;
    const slot = this.#order.open(request.id === undefined);
    void requests.answer(this, request).then((text) => {
      this.#pending -= 1;
      for (const ready of this.#order.settle(slot, text)) this.#send(ready);
      this.session?.closeIfLost();
    });
  }

  #withinRate(messageBytes: number): boolean {
    const { settings, now } = this.#context;
    const { requestsPerSecond } = settings.limits;
    this.#rate ??= new Allowance(
      { capacity: requestsPerSecond * BURST_S, refillMs: 1000 / requestsPerSecond },
      now(),
    );
    return this.#rate.spend(now(), Math.ceil(messageBytes / BYTES_PER_REQUEST));
  }

  /** An error reply, as long as the connection's allowance of them lasts. It also bounds what waits in order. */
  #refuse(echo: RequestEcho, error: MillraceError): void {
    const { settings, metrics, now } = this.#context;
    metrics.badMessages.inc({ code: error.code });
    this.#allowance ??= new Allowance(
      { capacity: settings.limits.badMessages, refillMs: BAD_MESSAGE_REFILL_MS },
      now(),
    );
    const { method, stream, id } = echo;
    const head = { method, stream, session: this.session?.id ?? '', ...(id !== undefined && { id }) };
    const slot = this.#order.open(id === undefined);
    const spent = this.#allowance.spend(now());
    for (const ready of this.#order.settle(slot, encodeError(head, error, this.replyMethod)))
      this.#send(ready);
    if (spent) return;
    metrics.limits.inc({ limit: 'bad_messages' });
    this.close('too_many_bad_messages', 'too many bad messages; read the errors, then connect again');
  }

  #send(text: string): void {
    if (this.closing) return;
    const { sendBufferBytes } = this.#context.settings.limits;
    if (this.#socket.bufferedAmount > sendBufferBytes) {
      this.#context.metrics.limits.inc({ limit: 'send_buffer' });
      this.close('slow_reader', `more than ${sendBufferBytes} bytes wait to be read`);
      return;
    }
    this.#socket.send(text);
  }
}
