import type { CallMap, Channel, ChannelEnd } from '../../../core/channel/channel.ts';
import type { ServiceName } from '../../../core/channel/service.ts';
import { MillraceError } from '../../../core/protocol/error.ts';
import { asSent, closedError, overdueError, tooManyCallsError } from '../failure.ts';
import { Outbox } from '../outbox.ts';
import { serviceUrl } from './address.ts';
import { CONNECTION_LIMITS, type ConnectionLimits } from './connection.ts';
import { type AnswerFrame, BadFrame, decodeAnswer, encodeCall } from './frame.ts';
import type { Gone } from './gone.ts';
import { Redialling } from './redialling.ts';
import type { ChannelAuthority, ChannelCertificate } from './tls.ts';
import { VERSIONS } from './version.ts';

export interface WebSocketChannelOptions {
  /** The token for one opening handshake; undefined where a certificate stands for it. It may throw; the channel is closed then. */
  readonly token: (service: ServiceName) => Promise<string | undefined>;
  /** For `wss://`: whom to trust, and what to be trusted for. Asked for at each opening handshake. */
  readonly tls?: () => ChannelAuthority | ChannelCertificate;
  readonly maxCallsInFlight: number;
  /** For the opening handshake. */
  readonly openTimeoutMs?: number;
  readonly limits?: Partial<ConnectionLimits>;
  readonly versions?: readonly number[];
  /** Told once why the channel is gone, before those who asked by `onClose`. */
  readonly onGone?: (gone: Gone) => void;
}

const OPEN_TIMEOUT_MS = 2000;
/** Answers that came in with one read and wait for their turn: as many as such a read may hold. */
const MAX_RECEIVED = 100_000;

interface PendingCall {
  /** Until the socket is open. */
  frame: string | undefined;
  readonly settle: (outcome: { readonly data: unknown } | { readonly error: MillraceError }) => void;
}

/**
 * A channel to a service of another process. It is opened at once; calls that are made meanwhile wait for
 * that within their deadlines. A broken socket is replaced without anybody noticing but by the delay, as long
 * as the same process answers; else the channel is gone for good, and whoever needs one connects again.
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
  readonly #limits: ConnectionLimits;
  readonly #connection: Redialling;
  readonly #inbox = new Outbox(MAX_RECEIVED);
  readonly #calls = new Map<number, PendingCall>();
  readonly #noticeListeners = new Set<(notice: Notice) => void>();
  readonly #closeListeners: ((end: ChannelEnd) => void)[] = [];
  #waitingBytes = 0;
  #lastId = 0;
  #ended: ChannelEnd | undefined;

  constructor(url: string, service: ServiceName, options: WebSocketChannelOptions) {
    this.#options = options;
    this.#limits = { ...CONNECTION_LIMITS, ...options.limits };
    this.#connection = new Redialling({
      url,
      token: () => options.token(service),
      ...(options.tls && { tls: options.tls }),
      versions: options.versions ?? VERSIONS,
      limits: this.#limits,
      openTimeoutMs: options.openTimeoutMs ?? OPEN_TIMEOUT_MS,
      onOpen: () => this.#begin(),
      onText: (text) => this.#receive(text),
      onGone: (gone) => this.#end(gone),
    });
  }

  call<Name extends keyof Calls & string>(
    name: Name,
    request: Calls[Name]['request'],
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<Calls[Name]['reply']> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(closedError());
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

  onClose(listener: (end: ChannelEnd) => void): void {
    const end = this.#ended;
    if (end === undefined) this.#closeListeners.push(listener);
    else queueMicrotask(() => listener(end));
  }

  close(): void {
    this.#connection.close();
  }

  #send(id: number, name: string, frame: string): void {
    if (this.#connection.opened) {
      if (this.#connection.send(frame) === 'too_large') this.#settle(id, { error: tooLargeError(name) });
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

  #begin(): void {
    for (const [id, call] of this.#calls) {
      const { frame } = call;
      if (frame === undefined) continue;
      call.frame = undefined;
      if (this.#connection.send(frame) === 'too_large')
        this.#settle(id, { error: tooLargeError('the call') });
    }
    this.#waitingBytes = 0;
  }

  #receive(text: string): void {
    let frame: AnswerFrame;
    try {
      frame = decodeAnswer(text);
    } catch (error) {
      if (!(error instanceof BadFrame)) throw error;
      this.#connection.breach(error.message);
      return;
    }
    if (frame.kind === 'unknown') return;
    const taken = this.#inbox.push(() => this.#deliver(frame));
    if (!taken) this.#connection.breach('more answers than can be taken');
  }

  #deliver(frame: Exclude<AnswerFrame, { kind: 'unknown' }>): void {
    if (frame.kind === 'reply') this.#settle(frame.id, { data: frame.data });
    else if (frame.kind === 'failure') this.#settle(frame.id, { error: frame.error });
    // What the notice holds is the other end's promise, as with replies.
    else for (const listener of this.#noticeListeners) listener(frame.notice as Notice);
  }

  #end(gone: Gone): void {
    if (this.#ended !== undefined) return;
    const end = endOf(gone, this.#connection.opened);
    this.#ended = end;
    this.#noticeListeners.clear();
    this.#options.onGone?.(gone);
    for (const id of [...this.#calls.keys()]) this.#settle(id, { error: closedError() });
    for (const listener of this.#closeListeners.splice(0)) queueMicrotask(() => listener(end));
  }
}

function endOf({ why }: Gone, opened: boolean): ChannelEnd {
  if (why === 'closed_here') return 'closed';
  if (!opened) return 'unreached';
  return why === 'refused' || why === 'replaced' || why === 'silent' ? 'dead' : 'closed';
}

function tooLargeError(name: string): MillraceError {
  return new MillraceError('too_large', `what "${name}" would send is larger than the channel carries`);
}
