import { setLogEventListeners } from 'mediasoup';
import type { Logger } from 'pino';
import type { Registry as MetricsRegistry } from 'prom-client';
import type {
  CloseRequest,
  MediaCalls,
  MediaHandlers,
  MediaNotice,
  MuteRequest,
  MuteState,
  PlayReply,
  PlayRequest,
  PublishReply,
  PublishRequest,
  Role,
  StreamReport,
} from '../core/channel/media.ts';
import { MillraceError } from '../core/protocol/error.ts';
import type { SessionId } from '../core/protocol/session-id.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import { compareByCodePoint } from '../core/registry/order.ts';
import type { NodeId, NodeRecord } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';
import { EpochMemory } from './epoch-memory.ts';
import { answeringErrors } from './failure.ts';
import { Holdings } from './holdings.ts';
import { noTraffic } from './meter.ts';
import { registerMetrics } from './metrics.ts';
import { NodeLease } from './node-lease.ts';
import { PipeSet } from './pipe.ts';
import { Quota } from './quota.ts';
import { Sampler } from './sampler.ts';
import { KeyedSerial } from './serial.ts';
import type { MediaServerSettings } from './settings.ts';
import { alreadyPublished, Stream } from './stream.ts';
import type { StreamContext } from './stream-context.ts';
import { checkWorkerBinary } from './worker/identity.ts';
import { WorkerPool } from './worker-pool.ts';

const SAMPLE_PERIOD_MS = 5000;
/** Requests waiting for one stream, or for one viewer's play of it. */
const MAX_WAITING = 32;

export interface MediaServerDeps {
  readonly registry: Registry;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
}

/** A media server of this process. What it does is asked through `handlers`, what it has to say comes as notices. */
export interface MediaServer {
  readonly nodeId: NodeId;
  readonly handlers: MediaHandlers;
  /**
   * Starts the workers and announces the node.
   * @throws Error that says which setting to change
   */
  start(): Promise<void>;
  /** @returns the way to stop listening */
  onNotice(listener: (notice: MediaNotice) => void): () => void;
  /** Called once if the registry fenced this node: it ended everything and must be started as a new one. */
  onFenced(listener: () => void): void;
  /** Ends everything within about a second, workers included. */
  close(): Promise<void>;
}

export function createMediaServer(settings: MediaServerSettings, deps: MediaServerDeps): MediaServer {
  return new MediaNode(settings, deps);
}

/**
 * The streams of one node. From here closing goes down: the server ends its streams; a stream its
 * publications and its audience; those their transports, by which mediasoup closes producers and consumers;
 * at last the workers. Upwards goes only what died by itself: a worker tells the transports that it carried,
 * a transport its publication or play, and those their stream, which tells the server when it ends.
 */
class MediaNode implements MediaServer {
  readonly nodeId: NodeId;
  readonly handlers: MediaHandlers;
  readonly #settings: MediaServerSettings;
  readonly #registry: Registry;
  readonly #log: Logger;
  readonly #pool: WorkerPool;
  readonly #pipes = new PipeSet();
  readonly #streams = new Map<StreamName, Stream>();
  readonly #epochs = new EpochMemory();
  readonly #streamQuota: Quota;
  readonly #viewerQuota: Quota;
  readonly #publishing = new KeyedSerial(MAX_WAITING);
  readonly #playing = new KeyedSerial(MAX_WAITING);
  /** Releases under way; a stream's end is answered after its own. */
  readonly #releasing = new Map<StreamName, Promise<void>>();
  readonly #holdings: Holdings;
  readonly #lease: NodeLease;
  readonly #context: StreamContext;
  readonly #listeners = new Set<(notice: MediaNotice) => void>();
  #sampler: Sampler | undefined;
  #onFenced: () => void = () => {};
  #state: 'new' | 'ready' | 'closed' = 'new';

  constructor(settings: MediaServerSettings, { registry, log, metrics }: MediaServerDeps) {
    this.nodeId = settings.nodeId;
    this.#settings = settings;
    this.#registry = registry;
    this.#log = log.child({ node: settings.nodeId });
    this.#pool = new WorkerPool(settings, this.#log);
    this.#streamQuota = new Quota('streams', settings.limits.streams);
    this.#viewerQuota = new Quota('viewers', settings.limits.viewers);
    this.#holdings = new Holdings(registry, settings.nodeId, this.#streams, this.#log);
    const traffic = noTraffic();
    this.#context = {
      settings,
      pool: this.#pool,
      pipes: this.#pipes,
      viewers: this.#viewerQuota,
      traffic,
      log: this.#log,
      notify: (notice) => this.#notify(notice),
    };
    this.#lease = new NodeLease({
      registry,
      describe: () => this.#describe(),
      afterRenewal: () => this.#holdings.check(),
      onFenced: () => this.#fenced(),
      log: this.#log,
    });
    this.handlers = answeringErrors(this.#handlers(), this.#log);
    registerMetrics(metrics, {
      pool: this.#pool,
      pipes: this.#pipes,
      streams: () => this.#streams.size,
      viewers: () => this.#viewerQuota.taken,
      traffic,
    });
    logMediasoup(this.#log);
  }

  async start(): Promise<void> {
    await checkWorkerBinary(this.#settings.workerBin);
    await this.#pool.start();
    this.#sampler = new Sampler(() => this.#sampled(), SAMPLE_PERIOD_MS);
    this.#state = 'ready';
    await this.#lease.start();
  }

  onNotice(listener: (notice: MediaNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onFenced(listener: () => void): void {
    this.#onFenced = listener;
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#lease.stop();
    await this.#endAll();
    // Forgotten with the node's streams; where the registry is away, the lease runs out.
    await this.#registry.withdrawNode(this.nodeId).catch(() => {});
  }

  #handlers(): MediaHandlers {
    return {
      publish: (request) => this.#publish(request),
      play: (request) => this.#play(request),
      mute: (request) => this.#mute(request),
      close: (request) => this.#closeRoles(request),
      release: (request) => this.#release(request),
      end: (request) => this.#end(request),
      streams: (request) => this.#list(request),
      stream: (request) => this.#report(request),
    };
  }

  #publish(request: PublishRequest): Promise<PublishReply> {
    this.#mustBeReady();
    const { stream: name, epoch } = request;
    return this.#publishing.run(name, async () => {
      // Closed while it waited for its turn.
      this.#mustBeReady();
      if (epoch < this.#epochs.lastOf(name)) throw alreadyPublished(name);
      const current = this.#streams.get(name);
      if (current) return this.#note(name, epoch, await current.publish(request));
      const giveUpPlace = this.#streamQuota.take();
      try {
        const stream = new Stream(name, this.#context, (ended) => {
          giveUpPlace();
          this.#forget(ended);
        });
        const reply = await stream.publish(request);
        if (this.#state === 'closed') stream.end('media_server_lost');
        if (stream.ended) throw new MillraceError('no_media_server', 'the media worker is gone; try again');
        this.#streams.set(name, stream);
        return this.#note(name, epoch, reply);
      } catch (error) {
        giveUpPlace();
        throw error;
      }
    });
  }

  #play(request: PlayRequest): Promise<PlayReply> {
    this.#mustBeReady();
    const { stream: name, session } = request;
    return this.#playing.run(playKey(name, session), () => this.#find(name).audience.play(request));
  }

  #mute(request: MuteRequest): Promise<MuteState> {
    const { stream: name, session, role } = request;
    const stream = this.#find(name);
    if (role === 'publish' || (role === undefined && stream.isPublishedBy(session))) {
      return this.#publishing.run(name, () => this.#find(name).mute(request));
    }
    return this.#playing.run(playKey(name, session), () => this.#find(name).audience.mute(request));
  }

  async #closeRoles({ stream, session, role }: CloseRequest): Promise<{ readonly closed: readonly Role[] }> {
    const roles: readonly Role[] = role === undefined ? ['publish', 'play'] : [role];
    const closed = await Promise.all(
      roles.map(async (each) => ((await this.#leave(each, stream, session, 'closed')) ? [each] : [])),
    );
    return { closed: closed.flat() };
  }

  /** What is being begun for the session is waited for, and ended too. */
  async #release({ session }: { readonly session: SessionId }): Promise<Record<string, never>> {
    const names = new Set([...this.#streams.keys(), ...(this.#publishing.keys() as StreamName[])]);
    const leaving: Promise<boolean>[] = [];
    for (const name of names) {
      const stream = this.#streams.get(name);
      if (this.#publishing.has(name) || stream?.isPublishedBy(session)) {
        leaving.push(this.#leave('publish', name, session, 'session_ended'));
      }
      if (this.#playing.has(playKey(name, session)) || stream?.audience.has(session)) {
        leaving.push(this.#leave('play', name, session, 'session_ended'));
      }
    }
    await Promise.all(leaving);
    return {};
  }

  /** @returns whether there was something to leave */
  #leave(
    role: Role,
    name: StreamName,
    session: SessionId,
    reason: 'closed' | 'session_ended',
  ): Promise<boolean> {
    if (role === 'play') {
      return this.#playing.run(playKey(name, session), async () => {
        return this.#streams.get(name)?.audience.leave(session, reason) ?? false;
      });
    }
    return this.#publishing.run(name, async () => {
      return this.#endingStream(name, (stream) => stream.unpublish(session, reason));
    });
  }

  async #end({ stream: name }: { readonly stream: StreamName }): Promise<{ readonly ended: boolean }> {
    const ended = await this.#publishing.run(name, () =>
      this.#endingStream(name, (stream) => {
        stream.end('ended_by_operator');
        return true;
      }),
    );
    return { ended };
  }

  /** Answers only after the registry knows: the name can be claimed again at once. */
  async #endingStream(name: StreamName, action: (stream: Stream) => boolean): Promise<boolean> {
    const stream = this.#streams.get(name);
    if (!stream || !action(stream)) return false;
    await this.#releasing.get(name);
    return true;
  }

  async #list({ after, limit }: MediaCalls['streams']['request']): Promise<MediaCalls['streams']['reply']> {
    const names = [...this.#streams.keys()]
      .filter((name) => after === undefined || compareByCodePoint(name, after) > 0)
      .sort(compareByCodePoint)
      .slice(0, limit);
    const streams = names.flatMap((name): readonly StreamReport[] => {
      const report = this.#streams.get(name)?.glance();
      return report ? [report] : [];
    });
    return { streams };
  }

  async #report({ stream: name }: MediaCalls['stream']['request']): Promise<MediaCalls['stream']['reply']> {
    const stream = this.#streams.get(name);
    if (!stream) return { stream: null, plays: [] };
    return { stream: await stream.report(), plays: stream.playReports() };
  }

  #forget(stream: Stream): void {
    const { name, epoch } = stream;
    if (this.#streams.get(name) === stream) this.#streams.delete(name);
    const released = this.#holdings.release(name, epoch).finally(() => {
      if (this.#releasing.get(name) === released) this.#releasing.delete(name);
    });
    this.#releasing.set(name, released);
  }

  #note<T>(name: StreamName, epoch: number, reply: T): T {
    this.#epochs.saw(name, epoch);
    return reply;
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

  #mustBeReady(): void {
    if (this.#state === 'ready') return;
    throw new MillraceError('no_media_server', 'this media server is starting or closing; try again');
  }

  *#sampled() {
    for (const stream of this.#streams.values()) yield* stream.sampled();
  }

  #describe(): NodeRecord {
    const { settings } = this.#context;
    return {
      id: this.nodeId,
      address: settings.address,
      version: settings.version,
      state: 'ready',
      load: Math.max(
        this.#pool.load,
        this.#streamQuota.taken / settings.limits.streams,
        this.#viewerQuota.taken / settings.limits.viewers,
      ),
      streams: this.#streams.size,
      viewers: this.#viewerQuota.taken,
    };
  }

  #fenced(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#log.fatal('fenced by the registry: another node may hold our streams; ending all of them');
    this.#lease.stop();
    this.#endAll().finally(() => this.#onFenced());
  }

  async #endAll(): Promise<void> {
    this.#sampler?.close();
    for (const stream of this.#streams.values()) stream.end('media_server_lost');
    this.#pipes.close();
    await this.#pool.close();
  }

  #notify(notice: MediaNotice): void {
    for (const listener of this.#listeners) listener(notice);
  }
}

function playKey(name: StreamName, session: SessionId): string {
  // A session id is of fixed length, so no two pairs have one key.
  return `${session} ${name}`;
}

/**
 * What mediasoup has to say goes where everything else is logged. A worker's own words come from a `Channel`:
 * nearly all are about single packets, and any peer can cause as many as it likes.
 */
function logMediasoup(log: Logger): void {
  setLogEventListeners({
    onwarn: (namespace, message) => log.debug({ namespace }, message),
    onerror: (namespace, message, error) => {
      const level = namespace.endsWith(':Channel') ? 'debug' : 'warn';
      log[level]({ namespace, err: error }, message);
    },
  });
}
