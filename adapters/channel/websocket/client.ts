import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import WebSocket, { type ClientOptions } from 'ws';
import type { CallMap, Channel } from '../../../core/channel/channel.ts';
import type { ServiceName } from '../../../core/channel/service.ts';
import { MillraceError } from '../../../core/protocol/error.ts';
import { asSent, closedError, overdueError, tooManyCallsError } from '../failure.ts';
import { Outbox } from '../outbox.ts';
import { serviceUrl } from './address.ts';
import { type AnswerFrame, BadFrame, decodeAnswer, encodeCall } from './frame.ts';
import { CLOSE_TIMEOUT_MS, type Gone, LINK_LIMITS, Link, type LinkLimits } from './link.ts';
import { subprotocols, VERSIONS } from './version.ts';

export interface WebSocketChannelOptions {
  /** The token for one opening handshake. It may throw; the channel is closed then. */
  readonly token: (service: ServiceName) => Promise<string>;
  readonly maxCallsInFlight: number;
  /** For the opening handshake. */
  readonly openTimeoutMs?: number;
  readonly limits?: Partial<LinkLimits>;
  readonly versions?: readonly number[];
  /** Told once why the channel is gone, before those who asked by `onClose`. */
  readonly onGone?: (gone: Gone) => void;
}

const OPEN_TIMEOUT_MS = 2000;
/** A refusal's text, for the log. */
const MAX_REFUSAL_CHARACTERS = 200;
/** Answers that came in with one read and wait for their turn: as many as such a read may hold. */
const MAX_RECEIVED = 100_000;

interface PendingCall {
  /** Until the socket is open. */
  frame: string | undefined;
  readonly settle: (outcome: { readonly data: unknown } | { readonly error: MillraceError }) => void;
}

/**
 * A channel to a service of another process. It is opened at once; calls that are made meanwhile wait for
 * that within their deadlines. When its connection is lost it is gone for good: whoever needs it connects
 * again.
 *
 * @param address see `serviceUrl`
 * @throws TypeError for what is no address
 */
export function connectWebSocket<Calls extends CallMap, Notice>(
  address: string,
  service: ServiceName,
  options: WebSocketChannelOptions,
): Channel<Calls, Notice> {
  return new WebSocketChannel(serviceUrl(address, service), service, options);
}

class WebSocketChannel<Calls extends CallMap, Notice> implements Channel<Calls, Notice> {
  readonly #options: WebSocketChannelOptions;
  readonly #limits: LinkLimits;
  readonly #inbox = new Outbox(MAX_RECEIVED);
  readonly #calls = new Map<number, PendingCall>();
  readonly #noticeListeners = new Set<(notice: Notice) => void>();
  readonly #closeListeners: (() => void)[] = [];
  #opening: NodeJS.Timeout | undefined;
  #socket: WebSocket | undefined;
  #link: Link | undefined;
  #waitingBytes = 0;
  #lastId = 0;
  #closed = false;

  constructor(url: string, service: ServiceName, options: WebSocketChannelOptions) {
    this.#options = options;
    this.#limits = { ...LINK_LIMITS, ...options.limits };
    void this.#open(url, service);
  }

  call<Name extends keyof Calls & string>(
    name: Name,
    request: Calls[Name]['request'],
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<Calls[Name]['reply']> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(closedError());
      const { maxCallsInFlight } = this.#options;
      if (this.#calls.size >= maxCallsInFlight) return reject(tooManyCallsError(name, maxCallsInFlight));
      const id = ++this.#lastId;
      const deadline = setTimeout(
        () => this.#settle(id, { error: overdueError(name, timeoutMs) }),
        timeoutMs,
      );
      this.#calls.set(id, {
        frame: undefined,
        settle: (outcome) => {
          clearTimeout(deadline);
          if ('error' in outcome) reject(outcome.error);
          // Both ends have the same list of calls; what the reply holds is the other end's promise.
          else resolve(outcome.data as Calls[Name]['reply']);
        },
      });
      try {
        this.#send(id, name, encodeCall(id, name, request));
      } catch (error) {
        this.#settle(id, { error: asSent(error) });
      }
    });
  }

  onNotice(listener: (notice: Notice) => void): () => void {
    // A function of its own, so that one listener may be added twice and each stopped alone.
    const entry = (notice: Notice) => listener(notice);
    this.#noticeListeners.add(entry);
    return () => this.#noticeListeners.delete(entry);
  }

  onClose(listener: () => void): void {
    if (this.#closed) queueMicrotask(listener);
    else this.#closeListeners.push(listener);
  }

  close(): void {
    this.#end({ why: 'closed_here', detail: '' });
  }

  #send(id: number, name: string, frame: string): void {
    if (this.#link !== undefined) {
      if (this.#link.send(frame) === 'too_large') this.#settle(id, { error: tooLargeError(name) });
      return;
    }
    if (frame.length > this.#limits.maxMessageBytes) throw tooLargeError(name);
    if (this.#waitingBytes + frame.length > this.#limits.maxBufferedBytes) {
      throw new MillraceError('too_many', `too much waits for the connection to open; try "${name}" again`);
    }
    this.#waitingBytes += frame.length;
    const call = this.#calls.get(id);
    if (call !== undefined) call.frame = frame;
  }

  #settle(id: number, outcome: { readonly data: unknown } | { readonly error: MillraceError }): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    this.#waitingBytes -= call.frame?.length ?? 0;
    call.settle(outcome);
  }

  async #open(url: string, service: ServiceName): Promise<void> {
    const { token, openTimeoutMs = OPEN_TIMEOUT_MS, versions = VERSIONS } = this.#options;
    this.#opening = setTimeout(
      () => this.#end({ why: 'silent', detail: `not open within ${openTimeoutMs} ms` }),
      openTimeoutMs,
    );
    let authorization: string;
    try {
      authorization = `Bearer ${await token(service)}`;
    } catch (error) {
      return this.#end({ why: 'rejected', detail: `there is no token for it: ${String(error)}` });
    }
    if (this.#closed) return;
    const socket = new WebSocket(url, subprotocols(versions), {
      headers: { authorization },
      maxPayload: this.#limits.maxMessageBytes,
      perMessageDeflate: false,
      closeTimeout: CLOSE_TIMEOUT_MS,
    } as ClientOptions);
    this.#socket = socket;
    let raw: Socket | undefined;
    socket.on('upgrade', (response: IncomingMessage) => {
      raw = response.socket;
    });
    socket.once('unexpected-response', (request, response) => {
      void refusalText(response).then((text) => {
        this.#end({ why: 'rejected', detail: `${response.statusCode} ${text}`.trim() });
        request.destroy();
      });
    });
    socket.on('error', (error) => {
      // An open one tells by closing.
      if (this.#link === undefined) this.#end(failureToOpen(error));
    });
    socket.once('open', () => {
      clearTimeout(this.#opening);
      if (this.#closed || raw === undefined) return socket.terminate();
      this.#begin(new Link(socket, raw, this.#limits, this.#events()));
    });
  }

  #begin(link: Link): void {
    this.#link = link;
    for (const [id, call] of this.#calls) {
      const { frame } = call;
      if (frame === undefined) continue;
      call.frame = undefined;
      if (link.send(frame) === 'too_large') this.#settle(id, { error: tooLargeError('the call') });
    }
    this.#waitingBytes = 0;
  }

  #events() {
    return {
      onText: (text: string) => this.#receive(text),
      onGone: (gone: Gone) => this.#end(gone),
    };
  }

  #receive(text: string): void {
    let frame: AnswerFrame;
    try {
      frame = decodeAnswer(text);
    } catch (error) {
      if (!(error instanceof BadFrame)) throw error;
      this.#link?.breach(error.message);
      return;
    }
    if (frame.kind === 'unknown') return;
    const taken = this.#inbox.push(() => this.#deliver(frame));
    if (!taken) this.#link?.breach('more answers than can be taken');
  }

  #deliver(frame: Exclude<AnswerFrame, { kind: 'unknown' }>): void {
    if (frame.kind === 'reply') this.#settle(frame.id, { data: frame.data });
    else if (frame.kind === 'failure') this.#settle(frame.id, { error: frame.error });
    // What the notice holds is the other end's promise, as with replies.
    else for (const listener of this.#noticeListeners) listener(frame.notice as Notice);
  }

  #end(gone: Gone): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#opening);
    if (this.#link === undefined) this.#socket?.terminate();
    else this.#link.close();
    this.#noticeListeners.clear();
    this.#options.onGone?.(gone);
    for (const id of [...this.#calls.keys()]) this.#settle(id, { error: closedError() });
    for (const listener of this.#closeListeners.splice(0)) queueMicrotask(listener);
  }
}

function tooLargeError(name: string): MillraceError {
  return new MillraceError('too_large', `what "${name}" would send is larger than the channel carries`);
}

function failureToOpen({ code, message }: NodeJS.ErrnoException): Gone {
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return { why: 'refused', detail: message };
  const silent = code === 'EHOSTUNREACH' || code === 'ETIMEDOUT';
  return { why: silent ? 'silent' : 'reset', detail: message };
}

async function refusalText(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  try {
    for await (const part of response) {
      text += part;
      if (text.length > MAX_REFUSAL_CHARACTERS) break;
    }
  } catch {
    // Cut off: the status says enough.
  }
  return text.slice(0, MAX_REFUSAL_CHARACTERS).trim();
}
