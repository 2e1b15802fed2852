import type {
  CloseRequest,
  MediaCalls,
  MediaHandlers,
  MuteRequest,
  MuteState,
  PlayReply,
  PlayRequest,
  PublishReply,
  PublishRequest,
  Role,
} from '../core/channel/media.ts';
import { MillraceError } from '../core/protocol/error.ts';
import type { SessionId } from '../core/protocol/session-id.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import { compareByCodePoint } from '../core/registry/order.ts';
import type { Audience } from './audience.ts';
import type { Edges } from './edges.ts';
import { EpochMemory } from './epoch-memory.ts';
import { Quota } from './quota.ts';
import type { Sampled } from './sampler.ts';
import { KeyedSerial } from './serial.ts';
import { Stream } from './stream.ts';
import type { StreamContext } from './stream-context.ts';
import { alreadyPublished, draining, endedMeanwhile } from './stream-error.ts';

/** Requests waiting for one stream, or for one viewer's play of it. */
const MAX_WAITING = 32;

type LeaveReason = 'closed' | 'session_ended';

/**
 * The streams of this node, and the calls that are made on them. What changes a stream's publisher is done
 * one after the other, by stream; what changes a viewer's play, by stream and session.
 */
export class Streams {
  readonly handlers: Omit<MediaHandlers, 'drain'>;
  readonly #context: StreamContext;
  /** Of streams that are published elsewhere. */
  readonly #edges: Edges;
  readonly #release: (name: StreamName, epoch: number) => Promise<void>;
  readonly #streams = new Map<StreamName, Stream>();
  readonly #places: Quota;
  readonly #epochs = new EpochMemory();
  readonly #publishing = new KeyedSerial(MAX_WAITING);
  readonly #playing = new KeyedSerial(MAX_WAITING);
  /** Releases under way; the end of a stream is answered after its own. */
  readonly #releasing = new Map<StreamName, Promise<void>>();
  #open = true;
  #draining = false;

  /** @param release gives an ended stream up in the registry; it never throws */
  constructor(
    context: StreamContext,
    edges: Edges,
    release: (name: StreamName, epoch: number) => Promise<void>,
  ) {
    this.#context = context;
    this.#edges = edges;
    this.#release = release;
    this.#places = new Quota('streams', context.settings.limits.streams, 'MILLRACE_MAX_STREAMS');
    this.handlers = {
      publish: (request) => this.#publish(request),
      play: (request) => this.#play(request),
      mute: (request) => this.#mute(request),
      close: (request) => this.#close(request),
      release: (request) => this.#releaseSession(request),
      end: (request) => this.#end(request),
      edges: (request) => this.#listEdges(request),
      moved: (request) => this.#moved(request),
      streams: (request) => this.#list(request),
      stream: (request) => this.#report(request),
    };
  }

  get size(): number {
    return this.#streams.size;
  }

  get names(): readonly StreamName[] {
    return [...this.#streams.keys()];
  }

  get(name: StreamName): Stream | undefined {
    return this.#streams.get(name);
  }

  /** All that statistics are read of. */
  *sampled(): Iterable<Sampled> {
    for (const stream of this.#streams.values()) yield* stream.sampled();
    yield* this.#edges.sampled();
  }

  /** Takes no stream that is not here yet, from now on. */
  drain(): void {
    this.#draining = true;
    this.#edges.drain();
  }

  /** Ends all, and takes nothing more. */
  endAll(): void {
    this.#open = false;
    for (const stream of this.#streams.values()) stream.end('media_server_lost');
    this.#edges.endAll();
  }

  #publish(request: PublishRequest): Promise<PublishReply> {
    const { stream: name, epoch } = request;
    return this.#publishing.run(name, async () => {
      this.#mustBeOpen();
      const last = this.#epochs.lastOf(name);
      if (epoch < last) throw alreadyPublished(name);
      const stream = this.#streams.get(name);
      // The registry was told of that end, so the name has to be claimed anew.
      if (!stream && epoch === last) throw endedMeanwhile(name);
      if (!stream && this.#draining) throw draining();
      const reply = await (stream?.publish(request) ?? this.#begin(request));
      this.#epochs.saw(name, epoch);
      const held = this.#streams.get(name);
      if (held) held.subject = request.subject ?? '';
      return reply;
    });
  }

  /** A stream is found by others once its first publication is there. */
  async #begin(request: PublishRequest): Promise<PublishReply> {
    const { stream: name } = request;
    const giveUpPlace = this.#places.take();
    const stream = new Stream(name, this.#context, (ended) => {
      giveUpPlace();
      this.#forget(ended);
    });
    try {
      const reply = await stream.publish(request);
      // Closed or dead while it was being made.
      if (!this.#open) stream.end('media_server_lost');
      if (!stream.ended) this.#streams.set(name, stream);
      else throw new MillraceError('no_media_server', 'the media worker is gone; try again');
      return reply;
    } catch (error) {
      giveUpPlace();
      throw error;
    }
  }

  #play(request: PlayRequest): Promise<PlayReply> {
    return this.#playing.run(playKey(request), async () => {
      this.#mustBeOpen();
      const { origin, stream: name, session } = request;
      const local = this.#streams.get(name);
      if (
        origin &&
        origin.node !== this.#context.settings.nodeId &&
        !(local && local.epoch >= origin.epoch)
      ) {
        const reply = await this.#edges.play(request, origin);
        local?.audience.leave(session, 'closed');
        return reply;
      }
      const reply = await this.#find(name).audience.play(request);
      // The stream came here from where it was pulled from.
      this.#edges.get(name)?.audience.leave(session, 'closed');
      return reply;
    });
  }

  async #mute(request: MuteRequest): Promise<MuteState> {
    const { stream: name, session, role } = request;
    const publishes = this.#streams.get(name)?.isPublishedBy(session) ?? false;
    if (role === 'publish' || (role === undefined && publishes)) {
      return this.#publishing.run(name, () => this.#find(name).mute(request));
    }
    return this.#playing.run(playKey(request), () => this.#audienceOf(name, session).mute(request));
  }

  /** What the session does not hold (any more) is not closed, and that is no error. */
  async #close({ stream, session, role, leaving }: CloseRequest): Promise<MediaCalls['close']['reply']> {
    if (leaving) return this.#letLeave(stream, session);
    const closed: Role[] = [];
    // The play first: a publisher that watches itself would else be told that its stream ended.
    for (const each of role === undefined ? (['play', 'publish'] as const) : [role]) {
      if (await this.#leave(each, stream, session, 'closed')) closed.push(each);
    }
    return { closed };
  }

  /** What is being begun for the session is waited for, and ended too. */
  async #releaseSession({ session }: MediaCalls['release']['request']): Promise<Record<string, never>> {
    const names = [
      ...new Set([...this.names, ...(this.#publishing.keys() as StreamName[]), ...this.#edges.names]),
    ];
    const playing = names.filter(
      (name) =>
        this.#playing.has(playKey({ stream: name, session })) ||
        this.#audiencesOf(name).some((audience) => audience.has(session)),
    );
    await Promise.all(playing.map((name) => this.#leave('play', name, session, 'session_ended')));
    const publishing = names.filter(
      (name) => this.#publishing.has(name) || this.get(name)?.isPublishedBy(session),
    );
    await Promise.all(publishing.map((name) => this.#leave('publish', name, session, 'session_ended')));
    return {};
  }

  async #end({ stream: name }: MediaCalls['end']['request']): Promise<MediaCalls['end']['reply']> {
    const ended = await this.#unpublish(name, (stream) => {
      stream.end('ended_by_operator');
      return true;
    });
    return { ended };
  }

  async #moved({ stream: name, epoch }: MediaCalls['moved']['request']): Promise<Record<string, never>> {
    this.#streams.get(name)?.handOver(epoch);
    return {};
  }

  #letLeave(stream: StreamName, session: SessionId): Promise<MediaCalls['close']['reply']> {
    return this.#playing.run(playKey({ stream, session }), async () => {
      for (const audience of this.#audiencesOf(stream)) audience.letLeave(session);
      return { closed: [] };
    });
  }

  /** @returns whether there was something to leave */
  #leave(role: Role, name: StreamName, session: SessionId, reason: LeaveReason): Promise<boolean> {
    if (role === 'publish') return this.#unpublish(name, (stream) => stream.unpublish(session, reason));
    return this.#playing.run(playKey({ stream: name, session }), async () => {
      const left = this.#audiencesOf(name).map((audience) => audience.leave(session, reason));
      return left.includes(true);
    });
  }

  /** Answers only when the registry knows: the name can be claimed again at once. */
  #unpublish(name: StreamName, action: (stream: Stream) => boolean): Promise<boolean> {
    return this.#publishing.run(name, async () => {
      const stream = this.#streams.get(name);
      if (!stream || !action(stream)) return false;
      await this.#releasing.get(name);
      return true;
    });
  }

  #audiencesOf(name: StreamName): readonly Audience[] {
    return [this.#streams.get(name), this.#edges.get(name)].flatMap((each) => each?.audience ?? []);
  }

  /** @throws MillraceError `stream_not_found` when the stream is not here at all */
  #audienceOf(name: StreamName, session: SessionId): Audience {
    const audiences = this.#audiencesOf(name);
    return audiences.find((audience) => audience.has(session)) ?? audiences[0] ?? this.#find(name).audience;
  }

  async #listEdges({ stream: name }: MediaCalls['edges']['request']): Promise<MediaCalls['edges']['reply']> {
    const nodes = this.#audiencesOf(name).flatMap(({ pulls }) => pulls.fanOut.nodes);
    return { nodes: [...new Set(nodes)] };
  }

  async #list({ after, limit }: MediaCalls['streams']['request']): Promise<MediaCalls['streams']['reply']> {
    const names = this.names
      .filter((name) => after === undefined || compareByCodePoint(name, after) > 0)
      .sort(compareByCodePoint)
      .slice(0, limit);
    return { streams: names.flatMap((name) => this.#streams.get(name)?.glance() ?? []) };
  }

  async #report({ stream: name }: MediaCalls['stream']['request']): Promise<MediaCalls['stream']['reply']> {
    const stream = this.#streams.get(name);
    if (!stream) return { stream: null, plays: [] };
    return { stream: await stream.report(), plays: stream.playReports() };
  }

  #forget(stream: Stream): void {
    const { name, epoch } = stream;
    if (this.#streams.get(name) === stream) this.#streams.delete(name);
    const released = this.#release(name, epoch).finally(() => {
      if (this.#releasing.get(name) === released) this.#releasing.delete(name);
    });
    this.#releasing.set(name, released);
  }

  /** @throws MillraceError `stream_not_found` */
  #find(name: StreamName): Stream {
    const stream = this.#streams.get(name);
    if (stream) return stream;
    throw new MillraceError(
      'stream_not_found',
      `no stream "${name}" is published; check the name, or play it once it is there`,
    );
  }

  #mustBeOpen(): void {
    if (!this.#open) throw new MillraceError('no_media_server', 'this media server is closing; try again');
  }
}

/** A session id is of fixed length, so no two pairs have one key. */
function playKey({ stream, session }: { readonly stream: StreamName; readonly session: SessionId }): string {
  return `${session} ${stream}`;
}
