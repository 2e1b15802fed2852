import { connectLocal } from '../../adapters/channel/local.ts';
import type {
  EndReason,
  MediaCalls,
  MediaChannel,
  MediaHandlers,
  MediaNotice,
  StreamReport,
  Track,
} from '../../core/channel/media.ts';
import { MillraceError, type SessionId, type StreamName } from '../../core/protocol/index.ts';
import type { NodeId, NodeRecord } from '../../core/registry/record.ts';
import type { Registry } from '../../core/registry/registry.ts';

type CallName = keyof MediaCalls & string;

interface FakeStream {
  readonly epoch: number;
  readonly session: SessionId;
  readonly offers: string[];
  live: boolean;
  muted: { video: boolean; audio: boolean };
  readonly plays: Map<SessionId, { events: boolean; muted: { video: boolean; audio: boolean } }>;
}

const TRACKS: readonly Track[] = [
  { kind: 'audio', codec: 'opus', encodings: 1 },
  { kind: 'video', codec: 'VP8', encodings: 1 },
];

/** A media server without media, that keeps its side of the contract and can be made to fail at will. */
export class FakeMediaServer {
  readonly id: NodeId;
  readonly streams = new Map<StreamName, FakeStream>();
  readonly calls: { name: CallName; request: never }[] = [];
  readonly #registry: Registry;
  readonly #listeners = new Set<(notice: MediaNotice) => void>();
  readonly #channels = new Set<MediaChannel>();
  readonly #failures = new Map<CallName, { readonly error: MillraceError; times: number }>();
  readonly #gates = new Map<CallName, Promise<void>>();
  readonly #turns = new Map<StreamName, Promise<void>>();
  readonly #lease: NodeJS.Timeout;
  load = 0;
  /** Each call waits for this first. */
  delay: () => Promise<unknown> = async () => undefined;

  static async start(registry: Registry, id = 'node-1'): Promise<FakeMediaServer> {
    const server = new FakeMediaServer(registry, id);
    await registry.announceNode(server.#record());
    return server;
  }

  private constructor(registry: Registry, id: string) {
    this.id = id as NodeId;
    this.#registry = registry;
    this.#lease = setInterval(() => {
      this.#registry.announceNode(this.#record()).catch(() => undefined);
    }, 1000);
  }

  #record(): NodeRecord {
    const { id, load } = this;
    return {
      id,
      address: 'local',
      version: '0',
      state: 'ready',
      load,
      streams: this.streams.size,
      viewers: 0,
    };
  }

  connect(): MediaChannel {
    const channel: MediaChannel = connectLocal(
      this.#handlers(),
      (listener: (notice: MediaNotice) => void) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
      { maxCallsInFlight: 1000 },
    );
    this.#channels.add(channel);
    return channel;
  }

  /** What changes a stream's publisher is done one after the other, as by a real media server. */
  #inTurn<T>(name: StreamName, work: () => Promise<T>): Promise<T> {
    const done = (this.#turns.get(name) ?? Promise.resolve()).then(work);
    const settled = done.then(
      () => {},
      () => {},
    );
    this.#turns.set(name, settled);
    return done;
  }

  stop(): void {
    clearInterval(this.#lease);
  }

  /** The next calls of this name fail with this. */
  fail(name: CallName, error: MillraceError, times = Number.POSITIVE_INFINITY): void {
    this.#failures.set(name, { error, times });
  }

  /** Calls of this name wait until the returned function is called. */
  hold(name: CallName): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gates.set(name, promise);
    return () => {
      this.#gates.delete(name);
      resolve();
    };
  }

  called<Name extends CallName>(name: Name): MediaCalls[Name]['request'][] {
    return this.calls.filter((call) => call.name === name).map((call) => call.request);
  }

  notify(notice: MediaNotice): void {
    for (const listener of this.#listeners) listener(notice);
  }

  /** The process dies: its channels are gone. */
  die(): void {
    clearInterval(this.#lease);
    for (const channel of this.#channels) channel.close();
  }

  /** Ends a stream as a media server does: it gives it up in the registry and tells whom it concerns. */
  async endStream(name: StreamName, reason: EndReason, transportClosed = true): Promise<void> {
    const stream = this.streams.get(name);
    if (stream === undefined) return;
    this.streams.delete(name);
    await this.#registry.releaseStream(name, stream.epoch);
    const { session, epoch, plays } = stream;
    this.notify({ type: 'publish.ended', stream: name, session, epoch, reason });
    const playReason = reason === 'closed' || reason === 'transport_lost' ? 'publisher_closed' : reason;
    for (const viewer of plays.keys()) {
      this.notify({ type: 'play.ended', stream: name, session: viewer, reason: playReason, transportClosed });
    }
  }

  #handlers(): MediaHandlers {
    const served =
      <Name extends CallName>(
        name: Name,
        serve: (request: MediaCalls[Name]['request']) => Promise<MediaCalls[Name]['reply']>,
      ) =>
      async (request: MediaCalls[Name]['request']): Promise<MediaCalls[Name]['reply']> => {
        this.calls.push({ name, request: request as never });
        const work = async () => {
          await this.delay();
          await this.#gates.get(name);
          const failure = this.#failures.get(name);
          if (failure !== undefined && failure.times > 0) {
            failure.times -= 1;
            throw failure.error;
          }
          return serve(request);
        };
        return name === 'publish' || name === 'close'
          ? this.#inTurn((request as { readonly stream: StreamName }).stream, work)
          : work();
      };
    return {
      publish: served('publish', async ({ stream: name, epoch, session, sdp }) => {
        if (sdp === 'broken') throw new MillraceError('invalid_sdp', 'the offer is broken');
        const known = this.streams.get(name);
        if (known !== undefined && known.epoch === epoch) {
          known.offers.push(sdp);
        } else {
          if (known !== undefined) {
            const { session: former, epoch: formerEpoch } = known;
            this.notify({
              type: 'publish.ended',
              stream: name,
              session: former,
              epoch: formerEpoch,
              reason: 'displaced',
            });
          }
          this.streams.set(name, {
            epoch,
            session,
            offers: [sdp],
            live: true,
            muted: { video: false, audio: false },
            plays: known?.plays ?? new Map(),
          });
        }
        return { sdp: `answer to ${sdp}`, tracks: TRACKS };
      }),
      edges: served('edges', async () => ({ nodes: [] })),
      moved: served('moved', async () => ({})),
      drain: served('drain', async () => ({})),
      play: served('play', async ({ stream: name, session, sdp, events }) => {
        const stream = this.streams.get(name);
        if (stream === undefined) throw new MillraceError('stream_not_found', `"${name}" is not here`);
        stream.plays.set(session, { events, muted: { video: false, audio: false } });
        return { sdp: `answer to ${sdp}` };
      }),
      mute: served('mute', async ({ stream: name, session, role, video, audio }) => {
        const stream = this.streams.get(name);
        const holder = role === 'publish' ? stream : stream?.plays.get(session);
        if (holder === undefined) throw new MillraceError('stream_not_found', `"${name}" is not here`);
        holder.muted = { video: video ?? holder.muted.video, audio: audio ?? holder.muted.audio };
        return holder.muted;
      }),
      close: served('close', async ({ stream: name, session, role }) => {
        const stream = this.streams.get(name);
        const closed: ('publish' | 'play')[] = [];
        if (role !== 'play' && stream?.session === session) {
          closed.push('publish');
          await this.endStream(name, 'closed');
        }
        if (role !== 'publish' && stream?.plays.delete(session)) closed.push('play');
        return { closed };
      }),
      release: served('release', async ({ session }) => {
        for (const [name, stream] of this.streams) {
          stream.plays.delete(session);
          if (stream.session === session) await this.endStream(name, 'session_ended');
        }
        return {};
      }),
      end: served('end', async ({ stream }) => {
        const ended = this.streams.has(stream);
        await this.endStream(stream, 'ended_by_operator');
        return { ended };
      }),
      streams: served('streams', async ({ after = '', limit }) => ({
        streams: [...this.streams.keys()]
          .filter((name) => name > after)
          .sort()
          .slice(0, limit)
          .flatMap((name) => this.#report(name) ?? []),
      })),
      stream: served('stream', async ({ stream }) => ({
        stream: this.#report(stream),
        plays: [...(this.streams.get(stream)?.plays ?? [])].map(([session, { muted }]) => ({
          stream,
          session,
          sinceMs: 0,
          bitrateBps: 0,
          spatialLayer: null,
          availableBitrateBps: null,
          lossRatio: 0,
          roundTripMs: null,
          muted,
        })),
      })),
    };
  }

  #report(name: StreamName): StreamReport | null {
    const stream = this.streams.get(name);
    if (stream === undefined) return null;
    const { epoch, session, live, muted, plays } = stream;
    return {
      stream: name,
      epoch,
      session,
      sinceMs: 0,
      tracks: TRACKS,
      muted,
      live,
      viewers: plays.size,
      bitrateBps: 0,
      encodings: [],
      lossRatio: 0,
      roundTripMs: null,
    };
  }
}
