import { setTimeout as sleep } from 'node:timers/promises';
import { setLogEventListeners } from 'mediasoup';
import type { Logger } from 'pino';
import type { Registry as MetricsRegistry } from 'prom-client';
import type { MediaHandlers, MediaNotice } from '../core/channel/media.ts';
import type { PipeCalls, PipeChannel, PipeHandlers, PipeNotice } from '../core/channel/pipes.ts';
import type { Peer, Serve } from '../core/channel/service.ts';
import { MillraceError } from '../core/protocol/error.ts';
import { publicSessionId } from '../core/protocol/session-id.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import type { NodeId, NodeRecord } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';
import { Drain } from './drain.ts';
import { noEdgeCount } from './edge.ts';
import { Edges } from './edges.ts';
import { answeringErrors, answeringPipeErrors } from './failure.ts';
import { Holdings } from './holdings.ts';
import { noTraffic } from './meter.ts';
import { registerMetrics } from './metrics.ts';
import { Neighbours } from './neighbours.ts';
import { NodeLease } from './node-lease.ts';
import { PipeSet } from './pipe.ts';
import { PipeService, type PulledSource } from './pipe-service.ts';
import { probePort } from './port-probe.ts';
import { Quota } from './quota.ts';
import { Sampler } from './sampler.ts';
import type { MediaServerSettings } from './settings.ts';
import { Strangers } from './strangers.ts';
import { Streams } from './streams.ts';
import { checkWorkerBinary } from './worker/identity.ts';
import { WorkerPool } from './worker-pool.ts';

const SAMPLE_PERIOD_MS = 5000;
/** A registry that is away holds a drain up no longer. */
const ANNOUNCEMENT_MS = 1000;

export interface MediaServerDeps {
  readonly registry: Registry;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  /** Opens a channel to another media server. @param address of its internal channel */
  readonly pipeChannel: (address: string) => PipeChannel;
}

/** A media server of this process: asked through `handlers`, it tells by notices. */
export interface MediaServer {
  readonly nodeId: NodeId;
  readonly handlers: MediaHandlers;
  /** Answers one other process that pulls streams from here; what it holds ends with its connection. */
  readonly servePipes: Serve<PipeCalls, PipeNotice>;
  /**
   * Starts the workers and announces the node.
   * @throws Error that says which setting to change
   */
  start(): Promise<void>;
  /** @returns the way to stop listening */
  onNotice(listener: (notice: MediaNotice) => void): () => void;
  /** Called once if the registry fenced this node: it has ended everything and must be started as a new one. */
  onFenced(listener: () => void): void;
  /**
   * Takes nothing new, and asks all publishers and viewers to go on elsewhere. Resolves when they have, or after
   * `timeoutMs`.
   */
  drain(timeoutMs: number): Promise<void>;
  /** Called when an administrator asks for it; where nobody listens, that is refused. */
  onDrainAsked(listener: () => void): void;
  readonly draining: boolean;
  /** Ends everything within about a second, workers included. */
  close(): Promise<void>;
}

export function createMediaServer(settings: MediaServerSettings, deps: MediaServerDeps): MediaServer {
  return new MediaNode(settings, deps);
}

/**
 * A node from its workers to its lease.
 *
 * Closing goes down from here: to the streams; from a stream to its publications and its audience; from
 * those to their transports, with which mediasoup closes producers and consumers; at last to the workers.
 * Upwards goes only what died by itself: a worker's death closes the transports that it carried, a transport
 * tells its publication or play, and those their stream, which ends when nobody publishes it any more.
 */
class MediaNode implements MediaServer {
  readonly nodeId: NodeId;
  readonly handlers: MediaHandlers;
  readonly #settings: MediaServerSettings;
  readonly #registry: Registry;
  readonly #log: Logger;
  readonly #pool: WorkerPool;
  readonly #pipes = new PipeSet();
  /** To other processes. */
  readonly #pipeCount = { pipes: 0, pulls: 0 };
  readonly #viewers: Quota;
  readonly #neighbours: Neighbours;
  readonly #edges: Edges;
  readonly #streams: Streams;
  readonly #holdings: Holdings;
  readonly #strangers: Strangers;
  readonly #stopLoss: () => void;
  readonly #lease: NodeLease;
  readonly #listeners = new Set<(notice: MediaNotice) => void>();
  #sampler: Sampler | undefined;
  #onFenced: () => void = () => {};
  #onDrainAsked: (() => void) | undefined;
  #draining = false;
  #closed = false;

  constructor(settings: MediaServerSettings, { registry, log, metrics, pipeChannel }: MediaServerDeps) {
    this.nodeId = settings.nodeId;
    this.#settings = settings;
    this.#registry = registry;
    // Whoever reads an id can take its session over.
    this.#log = log.child({ node: settings.nodeId }, { serializers: { session: publicSessionId } });
    this.#pool = new WorkerPool(settings, this.#log);
    this.#viewers = new Quota('viewers', settings.limits.viewers, 'MILLRACE_MAX_VIEWERS');
    const traffic = noTraffic();
    const context = {
      settings,
      pool: this.#pool,
      pipes: this.#pipes,
      viewers: this.#viewers,
      traffic,
      log: this.#log,
      notify: (notice: MediaNotice) => this.#notify(notice),
    };
    this.#neighbours = new Neighbours(pipeChannel, settings);
    const count = noEdgeCount();
    this.#edges = new Edges({ ...context, neighbours: this.#neighbours, count });
    this.#streams = new Streams(context, this.#edges, (name, epoch) => this.#holdings.release(name, epoch));
    this.#holdings = new Holdings(registry, settings.nodeId, this.#streams, this.#log);
    this.#strangers = new Strangers(registry, settings.nodeId, this.#streams, this.#log);
    this.#stopLoss = registry.onLoss('streams', () => this.#holdings.announceAll());
    this.#lease = new NodeLease({
      registry,
      describe: () => this.#describe(),
      afterRenewal: async () => {
        await this.#holdings.check();
        await this.#strangers.check();
      },
      onFenced: () => this.#fenced(),
      log: this.#log,
    });
    this.handlers = answeringErrors(
      { ...this.#streams.handlers, drain: async () => this.#drainAsked() },
      this.#log,
    );
    registerMetrics(metrics, {
      pool: this.#pool,
      pipes: this.#pipes,
      streams: () => this.#streams.size,
      viewers: () => this.#viewers.taken,
      draining: () => this.#draining,
      outside: this.#pipeCount,
      traffic,
      neighbours: this.#neighbours,
      edges: this.#edges,
      edgeCount: count,
    });
    logMediasoup(this.#log);
  }

  readonly servePipes = (peer: Peer<PipeNotice>): PipeHandlers => {
    const { handlers } = new PipeService(peer, {
      settings: this.#settings,
      pool: this.#pool,
      findStream: (name) => this.#findPulled(name),
      count: this.#pipeCount,
      log: this.#log,
    });
    return answeringPipeErrors(handlers, this.#log);
  };

  #findPulled(name: StreamName): PulledSource | undefined {
    const [stream, edge] = [this.#streams.get(name), this.#edges.forOthers.get(name)];
    if (edge && edge.epoch > (stream?.epoch ?? -1)) return edge;
    if (!stream) return undefined;
    const { audience } = stream;
    return { audience, path: [this.nodeId], ready: async () => {} };
  }

  async start(): Promise<void> {
    await checkWorkerBinary(this.#settings.workerBin);
    const { pipeListen, address } = this.#settings;
    await checkPipeAddress(pipeListen);
    if (reachesOnlyHere(pipeListen, address)) {
      this.#log.warn(
        { pipeListen, address },
        'MILLRACE_PIPE_LISTEN is a loopback address: media servers of other machines cannot pull streams from here, nor this one from them',
      );
    }
    await this.#pool.start();
    this.#sampler = new Sampler(() => this.#streams.sampled(), SAMPLE_PERIOD_MS);
    await this.#lease.start();
  }

  onNotice(listener: (notice: MediaNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onFenced(listener: () => void): void {
    this.#onFenced = listener;
  }

  get draining(): boolean {
    return this.#draining;
  }

  onDrainAsked(listener: () => void): void {
    this.#onDrainAsked = listener;
  }

  async drain(timeoutMs: number): Promise<void> {
    if (this.#draining || this.#closed) return;
    this.#draining = true;
    // Else those who are sent elsewhere might be sent back here.
    await Promise.race([this.#lease.renewNow(), sleep(ANNOUNCEMENT_MS)]);
    this.#streams.drain();
    const left = () => ({ streams: this.#streams.size, viewers: this.#viewers.taken });
    await new Drain({ streams: this.#streams, left, log: this.#log }).run(timeoutMs);
  }

  #drainAsked(): Record<string, never> {
    if (!this.#onDrainAsked) {
      throw new MillraceError(
        'invalid_field',
        'this media server is one process with all that would go on without it: end it instead',
      );
    }
    this.#onDrainAsked();
    return {};
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#endAll();
    // Where the registry is out of reach, the lease runs out by itself.
    await this.#registry.withdrawNode(this.nodeId).catch(() => {});
  }

  async #endAll(): Promise<void> {
    this.#lease.stop();
    this.#stopLoss();
    this.#sampler?.close();
    this.#streams.endAll();
    this.#neighbours.close();
    this.#pipes.close();
    await this.#pool.close();
  }

  #fenced(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#log.fatal('fenced by the registry: another node may hold our streams; ending all of them');
    this.#endAll().finally(() => this.#onFenced());
  }

  #describe(): NodeRecord {
    const { address, version, limits } = this.#settings;
    const streams = this.#streams.size;
    const viewers = this.#viewers.taken;
    return {
      id: this.nodeId,
      address,
      version,
      state: this.#draining ? 'draining' : 'ready',
      load: Math.min(1, Math.max(this.#pool.load, streams / limits.streams, viewers / limits.viewers)),
      streams,
      viewers,
    };
  }

  #notify(notice: MediaNotice): void {
    for (const listener of this.#listeners) listener(notice);
  }
}

const LOOPBACK = /^(127\.|\[?::1\]?$|localhost$)/;

/** Whether calls come from other machines, and media cannot. */
function reachesOnlyHere(pipeListen: string, address: string): boolean {
  return LOOPBACK.test(pipeListen) && URL.canParse(address) && !LOOPBACK.test(new URL(address).hostname);
}

async function checkPipeAddress(ip: string): Promise<void> {
  // The other end is told this address: one that stands for all of them leads nowhere.
  if (ip !== '0.0.0.0' && ip !== '::' && (await probePort(ip, 0)) === 'free') return;
  throw new Error(`MILLRACE_PIPE_LISTEN is not an address of this machine: ${ip}; choose one that is`);
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
