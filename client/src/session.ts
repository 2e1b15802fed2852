import { type BackoffOptions, backoffMs } from './backoff.ts';
import type { Clock } from './clock.ts';
import { closeAction } from './close-code.ts';
import { errorOfReply, MillraceError, toError } from './error.ts';
import { Events } from './events.ts';
import {
  type Data,
  decodeMessage,
  encodeRequest,
  type Method,
  type Reply,
  type ServerEvent,
} from './message.ts';
import { type PendingRequest, PendingRequests } from './pending-requests.ts';
import { Socket, type WebSocketConstructor } from './socket.ts';

/** `connecting` until the first connection stands, `reconnecting` after it was lost, `closed` for good. */
export type SessionState = 'connecting' | 'connected' | 'reconnecting' | 'closed';

export interface SessionEvents {
  state: SessionState;
  /** The server does not know the session any more: what it held must be published and played again. */
  restarted: undefined;
  /** The same session goes on over a new connection. */
  resumed: undefined;
  message: ServerEvent;
  /** null when the owner closed it. */
  closed: MillraceError | null;
}

export interface SessionSettings {
  readonly url: string;
  /** Asked before each connection, and again when the server says that the token expires. */
  readonly token: () => Promise<string | undefined>;
  readonly WebSocket: WebSocketConstructor;
  readonly clock: Clock;
  /** 0 <= random() < 1 */
  readonly random: () => number;
  readonly heartbeatMs: number;
  readonly openTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly backoff: BackoffOptions;
  readonly maxPending: number;
}

/**
 * One session with the server, over as many connections as it takes: requests with deadlines, heartbeats,
 * reconnection with back-off, and take-over of the session by the next connection.
 */
export class Session extends Events<SessionEvents> {
  readonly #settings: SessionSettings;
  readonly #pending: PendingRequests;
  #state: SessionState = 'connecting';
  #id = '';
  #token: string | undefined;
  #iceServers: readonly RTCIceServer[] = [];
  #tellIceServers: () => void = () => {};
  readonly #iceServersTold = new Promise<void>((resolve) => {
    this.#tellIceServers = resolve;
  });
  #socket: Socket | null = null;
  /** The connection is open and the session is taken over: requests may be sent. */
  #ready = false;
  /** Connections lost, or never had, since the last one that stood for a while. */
  #failures = 0;
  #openedAtMs = 0;
  #cancelReconnect: (() => void) | null = null;
  #cancelHeartbeat: () => void = () => {};

  constructor(settings: SessionSettings) {
    super();
    this.#settings = settings;
    this.#pending = new PendingRequests(settings.clock, settings.maxPending);
    this.#connect();
  }

  get state(): SessionState {
    return this.#state;
  }

  /** As the server's last heartbeat reply named them; empty where TURN is not configured. */
  get iceServers(): readonly RTCIceServer[] {
    return this.#iceServers;
  }

  /** Resolves when the server has said which ICE servers there are, or had the time of a request to do so. */
  async iceServersKnown(): Promise<void> {
    const { clock, requestTimeoutMs } = this.#settings;
    let cancel: () => void = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = clock.after(requestTimeoutMs, resolve);
    });
    await Promise.race([this.#iceServersTold, late]);
    cancel();
  }

  /**
   * Sends a request, now or when the connection is back, and returns its reply's data.
   * @throws MillraceError of the reply; `no_reply` after the deadline; `unknown_session` when the session was
   *   lost meanwhile; `queue_full`; `closed`.
   */
  request(method: Method, stream: string, data: Data, timeoutMs?: number): Promise<Data> {
    return this.#enqueue(method, stream, data, timeoutMs ?? this.#settings.requestTimeoutMs, false);
  }

  /** Looks whether the connection is alive, after the machine slept or its network changed. */
  probe(): void {
    if (this.#ready) this.#heartbeat();
    else if (this.#cancelReconnect !== null) {
      this.#cancelReconnect();
      this.#connect();
    }
  }

  close(): void {
    this.#stop(null);
  }

  #connect(): void {
    this.#cancelReconnect = null;
    this.#settings.token().then(
      (token) => {
        if (this.#state === 'closed' || this.#socket !== null) return;
        this.#token = token;
        this.#open();
      },
      (cause: unknown) => {
        if (this.#state !== 'closed') this.#reconnectLater(0, toError('disconnected', 'no token', cause));
      },
    );
  }

  #open(): void {
    const { WebSocket, url, clock, openTimeoutMs } = this.#settings;
    try {
      this.#socket = new Socket(
        WebSocket,
        url,
        {
          open: () => this.#onOpen(),
          message: (text) => this.#onMessage(text),
          close: (code, reason) => this.#onClose(code, reason),
        },
        { clock, openTimeoutMs },
      );
    } catch (cause) {
      // The constructor throws for an address that no later attempt can make better.
      this.#stop(toError('invalid_argument', `cannot connect to ${url}`, cause));
    }
  }

  #onOpen(): void {
    this.#openedAtMs = this.#settings.clock.now();
    if (this.#id === '') {
      this.#onReady();
      return;
    }
    // The first request of a connection that carries a session's id takes the session over.
    this.#sendHeartbeat().then(
      () => {
        this.#onReady();
        this.emit('resumed', undefined);
      },
      (error: MillraceError) => {
        if (this.#socket === null || this.#ready) return;
        if (error.errorName === 'unknown_session') {
          this.#restart();
        } else if (error.temporary || error.errorName === 'closed') {
          this.#socket.abandon(error.message);
        } else {
          this.#stop(error);
        }
      },
    );
  }

  #onReady(): void {
    this.#ready = true;
    this.#setState('connected');
    for (const pending of this.#pending.unsent()) this.#send(pending);
    this.#heartbeat();
  }

  #onMessage(text: string): void {
    const message = decodeMessage(text);
    if (message === null) return;
    if (message.type === 'reply') {
      this.#onReply(message);
      return;
    }
    if (message.method === 'session.expiring') this.#renewToken();
    this.emit('message', message);
  }

  #onReply(reply: Reply): void {
    const pending = this.#pending.take(reply.id);
    if (pending === undefined) return;
    // A server that answers and then hangs up, again and again, must not be run against without pause.
    const { clock, heartbeatMs } = this.#settings;
    if (clock.now() - this.#openedAtMs >= heartbeatMs) this.#failures = 0;
    if (reply.code === 0) {
      this.#id = reply.session;
      pending.resolve(reply.data);
      return;
    }
    const error = errorOfReply(reply.code, reply.message);
    pending.reject(error);
    if (error.errorName === 'session_taken_over') this.#stop(error);
    // While the session is being taken over, #onOpen decides.
    else if (error.errorName === 'unknown_session' && this.#ready && this.#id !== '') this.#restart();
  }

  #restart(): void {
    this.#id = '';
    this.#pending.onSessionLost(new MillraceError('unknown_session', 'the session was lost meanwhile'));
    if (!this.#ready) this.#onReady();
    this.emit('restarted', undefined);
  }

  #onClose(code: number, reason: string): void {
    this.#socket = null;
    this.#ready = false;
    this.#cancelHeartbeat();
    const decision = closeAction(code, reason);
    if (decision.action === 'stop') {
      this.#stop(decision.error);
      return;
    }
    const detail = reason === '' ? `close code ${code}` : `${reason}, close code ${code}`;
    this.#reconnectLater(
      decision.leastDelayMs,
      new MillraceError('disconnected', `the connection was lost: ${detail}`),
    );
  }

  #reconnectLater(leastDelayMs: number, error: MillraceError): void {
    this.#pending.onConnectionLost(error);
    const { clock, random, backoff } = this.#settings;
    const delayMs = leastDelayMs + backoffMs(this.#failures, random(), backoff);
    this.#failures += 1;
    if (this.#state === 'connected') this.#setState('reconnecting');
    this.#cancelReconnect = clock.after(delayMs, () => this.#connect());
  }

  #heartbeat(): void {
    this.#cancelHeartbeat();
    const { clock, heartbeatMs } = this.#settings;
    this.#cancelHeartbeat = clock.after(heartbeatMs, () => this.#heartbeat());
    this.#sendHeartbeat().catch((error: MillraceError) => {
      if (error.errorName === 'no_reply') this.#socket?.abandon('no reply to a heartbeat');
    });
  }

  async #sendHeartbeat(): Promise<void> {
    // No longer than the time between two, so that a dead connection is known before the server's time-out.
    const data = this.#token === undefined ? {} : { token: this.#token };
    const reply = await this.#enqueue('stream.heartbeat', '', data, this.#settings.heartbeatMs, true);
    // Shape by docs/protocol.md: the same as the browser's RTCIceServer.
    if (Array.isArray(reply.ice_servers)) this.#iceServers = reply.ice_servers as RTCIceServer[];
    this.#tellIceServers();
  }

  #renewToken(): void {
    this.#settings.token().then(
      (token) => {
        this.#token = token;
        if (this.#ready) this.#heartbeat();
      },
      // The next connection asks for a token again; until then the old one is all there is.
      () => {},
    );
  }

  #enqueue(method: Method, stream: string, data: Data, timeoutMs: number, volatile: boolean): Promise<Data> {
    const onTimeout = (): MillraceError =>
      this.#ready
        ? new MillraceError('no_reply', `no reply to ${method} within ${timeoutMs} ms; try again`)
        : new MillraceError('disconnected', `no connection to the server within ${timeoutMs} ms`);
    return new Promise((resolve, reject) => {
      if (this.#state === 'closed') {
        throw new MillraceError('closed', 'the client is closed; make a new one');
      }
      const request = { method, stream, data, volatile, timeoutMs, onTimeout };
      const pending = this.#pending.add(request, { resolve, reject });
      if (this.#ready || (volatile && this.#socket !== null)) this.#send(pending);
    });
  }

  #send(pending: PendingRequest): void {
    const { id, method, stream, data } = pending;
    pending.sent = true;
    pending.asked = true;
    this.#socket?.send(encodeRequest({ id, method, stream, session: this.#id, token: this.#token, data }));
  }

  #setState(state: SessionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.emit('state', state);
  }

  #stop(error: MillraceError | null): void {
    if (this.#state === 'closed') return;
    this.#cancelReconnect?.();
    this.#cancelHeartbeat();
    this.#ready = false;
    this.#tellIceServers();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#pending.rejectAll(error ?? new MillraceError('closed', 'the client was closed'));
    this.#setState('closed');
    this.emit('closed', error);
  }
}
