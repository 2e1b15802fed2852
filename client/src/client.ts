import { systemClock } from './clock.ts';
import { MillraceError } from './error.ts';
import { Events } from './events.ts';
import type { PublishOptions } from './offer.ts';
import type { PeerConnectionConstructor } from './peer.ts';
import { Playback, type PlayOptions } from './playback.ts';
import { Publication } from './publication.ts';
import { Session, type SessionState } from './session.ts';
import type { WebSocketConstructor } from './socket.ts';
import type { StreamContext } from './stream-context.ts';
import type { Ended } from './stream-events.ts';

export interface ClientOptions {
  /** `ws:` or `wss:` address of the server, e.g. `wss://example.org/ws`; http and https are understood too. */
  readonly url: string | URL;
  /** A token, or where to get one: asked before each connection and before the old one expires. */
  readonly token?: string | (() => string | Promise<string>);
  /** For environments without their own: Node before 22, or a WebRTC library for Node. */
  readonly WebSocket?: WebSocketConstructor;
  readonly RTCPeerConnection?: PeerConnectionConstructor;
  readonly MediaStream?: new () => MediaStream;
}

export interface ClientEvents {
  /** The connection's state, each time it changes. */
  state: SessionState;
  /** Closed for good: null by its owner, else what the server said. */
  closed: MillraceError | null;
}

const HEARTBEAT_MS = 10_000;
const OPEN_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const RECOVERY_MS = 45_000;
const MAX_PENDING = 64;
const BACKOFF = { baseMs: 500, capMs: 10_000 };

/** One session with a Millrace server: publishes and plays streams, and keeps them through lost connections. */
export class MillraceClient extends Events<ClientEvents> {
  readonly #session: Session;
  readonly #context: StreamContext;
  readonly #closing = new AbortController();
  readonly #publications = new Map<string, Promise<Publication>>();
  readonly #playbacks = new Map<string, Promise<Playback>>();
  readonly #stopWatching: () => void;

  /** Connects at once. @throws MillraceError `unsupported` when this environment lacks something */
  constructor(options: ClientOptions) {
    super();
    const { token } = options;
    this.#session = new Session({
      url: socketUrl(options.url),
      token: async () => (typeof token === 'function' ? token() : token),
      // The browser's own WebSocket has these members, with wider event types.
      WebSocket: options.WebSocket ?? (required('WebSocket') as WebSocketConstructor),
      clock: systemClock,
      random: Math.random,
      heartbeatMs: HEARTBEAT_MS,
      openTimeoutMs: OPEN_TIMEOUT_MS,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      backoff: BACKOFF,
      maxPending: MAX_PENDING,
    });
    this.#context = {
      session: this.#session,
      closing: this.#closing.signal,
      get PeerConnection() {
        return options.RTCPeerConnection ?? (required('RTCPeerConnection') as PeerConnectionConstructor);
      },
      newMediaStream: () => {
        const Stream = options.MediaStream ?? (required('MediaStream') as new () => MediaStream);
        return new Stream();
      },
      clock: systemClock,
      random: Math.random,
      backoff: BACKOFF,
      recoveryMs: RECOVERY_MS,
    };
    this.#session.on('state', (state) => this.emit('state', state));
    this.#session.on('closed', (error) => {
      this.#stopWatching();
      this.emit('closed', error);
    });
    this.#stopWatching = watchNetwork(() => this.#session.probe());
  }

  get state(): SessionState {
    return this.#session.state;
  }

  /**
   * Publishes tracks under a name. The returned publication goes on through lost connections until it is
   * closed or ended.
   * @throws MillraceError e.g. `stream_already_published`, `not_authorised`, `no_common_codec`
   */
  publish(
    stream: string,
    source: MediaStream | readonly MediaStreamTrack[],
    options: PublishOptions = {},
  ): Promise<Publication> {
    return keep(this.#publications, stream, 'published', () =>
      Publication.open(stream, source, options, this.#context),
    );
  }

  /**
   * Plays a stream. The returned playback goes on through lost connections until it is closed or ended.
   * @throws MillraceError e.g. `stream_not_found`
   */
  play(stream: string, options: PlayOptions = {}): Promise<Playback> {
    return keep(this.#playbacks, stream, 'played', () => Playback.open(stream, options, this.#context));
  }

  /** Closes everything it publishes and plays, then the connection. Never rejects. */
  async close(): Promise<void> {
    this.#closing.abort();
    const open = [...this.#publications.values(), ...this.#playbacks.values()];
    const handles = await Promise.allSettled(open);
    await Promise.all(
      handles.map((result) => (result.status === 'fulfilled' ? result.value.close() : undefined)),
    );
    this.#session.close();
  }
}

/**
 * A client whose connection stands.
 * @throws MillraceError when the server refused it; `disconnected` when there is none within `timeoutMs`
 *   (15000 when absent)
 */
export async function connect(
  url: string | URL,
  options: Omit<ClientOptions, 'url'> & { readonly timeoutMs?: number } = {},
): Promise<MillraceClient> {
  const timeoutMs = options.timeoutMs ?? 15_000;
  const client = new MillraceClient({ ...options, url });
  await new Promise<void>((resolve, reject) => {
    const cancelDeadline = systemClock.after(timeoutMs, () => {
      reject(new MillraceError('disconnected', `no connection to ${String(url)} within ${timeoutMs} ms`));
      void client.close();
    });
    const stops: (() => void)[] = [
      client.on('state', (state) => state === 'connected' && settle(resolve)),
      client.on('closed', (error) =>
        settle(() => reject(error ?? new MillraceError('closed', 'closed before it was connected'))),
      ),
    ];
    const settle = (finish: () => void): void => {
      cancelDeadline();
      for (const stop of stops) stop();
      finish();
    };
  });
  return client;
}

interface Endable {
  readonly ended: Ended | null;
  once(name: 'ended', listener: () => void): () => void;
}

/** One publication and one playback of a stream at a time, which is what the server allows a session. */
async function keep<Handle extends Endable>(
  handles: Map<string, Promise<Handle>>,
  stream: string,
  done: string,
  open: () => Promise<Handle>,
): Promise<Handle> {
  if (handles.has(stream)) {
    throw new MillraceError(
      'invalid_argument',
      `"${stream}" is ${done} by this client already; close it first`,
    );
  }
  const opening = open();
  handles.set(stream, opening);
  const forget = (): void => {
    if (handles.get(stream) === opening) handles.delete(stream);
  };
  try {
    const handle = await opening;
    if (handle.ended !== null) forget();
    else handle.once('ended', forget);
    return handle;
  } catch (error) {
    forget();
    throw error;
  }
}

function required(name: 'WebSocket' | 'RTCPeerConnection' | 'MediaStream'): unknown {
  const value: unknown = (globalThis as Record<string, unknown>)[name];
  if (typeof value === 'function') return value;
  throw new MillraceError('unsupported', `there is no ${name} here; pass one in the client's options`);
}

function socketUrl(url: string | URL): string {
  try {
    const parsed = new URL(url, globalThis.location?.href);
    if (parsed.protocol === 'http:') parsed.protocol = 'ws:';
    if (parsed.protocol === 'https:') parsed.protocol = 'wss:';
    parsed.searchParams.set('events', '1');
    return parsed.href;
  } catch (cause) {
    throw new MillraceError('invalid_argument', `"${String(url)}" is no address`, { cause });
  }
}

/** A machine that wakes or changes its network should not wait for a time-out to notice. */
function watchNetwork(probe: () => void): () => void {
  if (typeof globalThis.addEventListener !== 'function' || typeof document === 'undefined') return () => {};
  const onVisible = (): void => {
    if (document.visibilityState === 'visible') probe();
  };
  globalThis.addEventListener('online', probe);
  document.addEventListener('visibilitychange', onVisible);
  return () => {
    globalThis.removeEventListener('online', probe);
    document.removeEventListener('visibilitychange', onVisible);
  };
}
