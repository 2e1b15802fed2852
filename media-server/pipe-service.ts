import type { Logger } from 'pino';
import type { Adoption, PipeCalls, PipeHandlers, PipeId, PipeNotice, PullId } from '../core/channel/pipes.ts';
import type { Peer } from '../core/channel/service.ts';
import { MillraceError } from '../core/protocol/error.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import type { NodeId } from '../core/registry/record.ts';
import type { Audience } from './audience.ts';
import { MAX_DEPTH } from './edge.ts';
import { PipeEnd } from './pipe-end.ts';
import { streamChanged } from './play-source.ts';
import type { Pull } from './pull.ts';
import type { MediaServerSettings } from './settings.ts';
import type { WorkerPool } from './worker-pool.ts';

/** Of one connection. A media server needs a pipe for any two workers, a recorder one or for a moment two. */
const MAX_PIPES = 1024;
const MAX_PULLS = 10_000;

/** What the worker says when all ports of the range are taken. */
const NO_PORTS = /no more available ports/;

export interface PipeServiceContext {
  readonly settings: Pick<MediaServerSettings, 'pipeListen' | 'pipePorts'>;
  readonly pool: Pick<WorkerPool, 'workers'>;
  readonly findStream: (name: StreamName) => PulledSource | undefined;
  /** Kept by the service, read by metrics. */
  readonly count: PipeCount;
  readonly log: Logger;
}

/** What can be pulled from here: a stream that is published here, or pulled itself. */
export interface PulledSource {
  readonly audience: Pick<Audience, 'pulls'>;
  /** The media servers from the stream's origin to this one. */
  readonly path: readonly NodeId[];
  /** Resolves when there is something to pull. */
  ready(): Promise<void>;
}

/** Of all connections. */
export interface PipeCount {
  pipes: number;
  pulls: number;
}

/** A place is taken by the caller's id before there is something in it, and may be given up meanwhile. */
interface Place<T> {
  held: T | undefined;
}

/**
 * The pipes that one other process has to this media server, and the streams that it pulls through them. All
 * of it ends with the connection.
 */
export class PipeService {
  readonly handlers: PipeHandlers;
  readonly #peer: Peer<PipeNotice>;
  readonly #context: PipeServiceContext;
  readonly #pipes = new Map<PipeId, Place<PipeEnd>>();
  readonly #pulls = new Map<PullId, Place<Pull>>();
  #closed = false;

  constructor(peer: Peer<PipeNotice>, context: PipeServiceContext) {
    this.#peer = peer;
    this.#context = context;
    this.handlers = {
      locate: (request) => this.#locate(request),
      adopt: (request) => this.#adopt(request),
      open: (request) => this.#open(request),
      pull: (request) => this.#pull(request),
      release: async ({ pull }) => {
        this.#release(pull);
        return {};
      },
      close: async ({ pipe }) => {
        this.#closePipe(pipe);
        return {};
      },
    };
    peer.onClose(() => this.#close());
  }

  async #locate({ stream }: PipeCalls['locate']['request']): Promise<PipeCalls['locate']['reply']> {
    const { worker, epoch } = this.#find(stream).audience.pulls.source;
    return { worker: worker.ref, epoch };
  }

  async #adopt({ stream, by, without }: PipeCalls['adopt']['request']): Promise<Adoption> {
    const source = this.#find(stream);
    await source.ready();
    const { path, audience } = source;
    if (path.length > MAX_DEPTH) {
      throw new MillraceError(
        'too_many',
        `"${stream}" is as far from its origin here as it may be; ask it again`,
      );
    }
    const place = audience.pulls.fanOut.admit(by, without);
    if (place !== 'here') return { refer: place };
    const { worker, epoch } = audience.pulls.source;
    return { worker: worker.ref, epoch, path };
  }

  async #open({ pipe, worker: ref, end }: PipeCalls['open']['request']): Promise<PipeCalls['open']['reply']> {
    const worker = this.#context.pool.workers.find((each) => each.ref === ref);
    if (!worker) throw new MillraceError('no_media_server', `no worker "${ref}" is alive; locate again`);
    const place = this.#take(this.#pipes, pipe, { what: 'pipe', limit: MAX_PIPES });
    const { pipeListen: ip, pipePorts: ports } = this.#context.settings;
    let opened: PipeEnd | undefined;
    try {
      opened = await PipeEnd.open(worker, { ip, ports, srtp: true });
      await opened.connect(end);
      if (this.#pipes.get(pipe) !== place) throw streamChanged();
    } catch (error) {
      opened?.close();
      if (this.#pipes.get(pipe) === place) this.#pipes.delete(pipe);
      throw withoutPorts(error);
    }
    place.held = opened;
    this.#context.count.pipes++;
    opened.onClosed(() => this.#pipeClosed(pipe));
    this.#context.log.info({ worker: worker.index, to: end.ip }, 'pipe opened to another process');
    return { end: opened.address };
  }

  async #pull(request: PipeCalls['pull']['request']): Promise<PipeCalls['pull']['reply']> {
    const { pipe, pull: id, stream, by } = request;
    const { pulls } = this.#find(stream).audience;
    const end = this.#pipes.get(pipe)?.held;
    if (!end) throw streamChanged();
    const place = this.#take(this.#pulls, id, { what: 'pull', limit: MAX_PULLS });
    let pull: Pull;
    try {
      pull = await pulls.open({ id, end, notify: (notice) => this.#peer.notify(notice) });
    } catch (error) {
      if (this.#pulls.get(id) === place) this.#pulls.delete(id);
      throw error;
    }
    if (this.#pulls.get(id) !== place) {
      pull.close();
      throw streamChanged();
    }
    place.held = pull;
    this.#context.count.pulls++;
    const { worker, epoch, generation } = pull.publication;
    const giveUpPlace = by === undefined ? undefined : pulls.fanOut.began(by);
    this.#context.log.info({ stream, worker: worker.index, epoch }, 'pull begins');
    pull.onClosed(() => {
      this.#pulls.delete(id);
      giveUpPlace?.();
      this.#context.count.pulls--;
      this.#context.log.info({ stream, worker: worker.index, epoch }, 'pull ended');
    });
    return { epoch, generation, tracks: pull.tell() };
  }

  #release(id: PullId): void {
    const place = this.#pulls.get(id);
    this.#pulls.delete(id);
    place?.held?.close();
  }

  #closePipe(id: PipeId): void {
    const place = this.#pipes.get(id);
    this.#pipes.delete(id);
    // Its pulls end with it, and nobody needs to be told.
    place?.held?.close();
  }

  /** With its worker, or by `#closePipe`. Its pulls have ended by themselves. */
  #pipeClosed(id: PipeId): void {
    this.#context.count.pipes--;
    if (this.#pipes.delete(id)) this.#peer.notify({ type: 'pipe.closed', pipe: id });
  }

  #close(): void {
    this.#closed = true;
    for (const id of [...this.#pulls.keys()]) this.#release(id);
    for (const id of [...this.#pipes.keys()]) this.#closePipe(id);
  }

  /** @throws MillraceError `too_many` when the id is taken or there is no place left */
  #take<T>(
    places: Map<string, Place<T>>,
    id: string,
    { what, limit }: { readonly what: string; readonly limit: number },
  ): Place<T> {
    if (this.#closed) throw new MillraceError('no_media_server', 'the connection is closed');
    if (places.has(id)) throw new MillraceError('too_many', `there is a ${what} "${id}"; choose another id`);
    if (places.size >= limit) {
      throw new MillraceError('too_many', `more than ${limit} ${what}s of one connection; close some`);
    }
    const place: Place<T> = { held: undefined };
    places.set(id, place);
    return place;
  }

  /** @throws MillraceError `stream_not_found` */
  #find(name: StreamName): PulledSource {
    const stream = this.#context.findStream(name);
    if (stream) return stream;
    throw new MillraceError('stream_not_found', `no stream "${name}" is here; look it up again`);
  }
}

function withoutPorts(error: unknown): unknown {
  if (!(error instanceof Error && NO_PORTS.test(error.message))) return error;
  return new MillraceError(
    'too_many',
    'no port is left for another pipe; raise the range of MILLRACE_PIPE_PORTS',
    { cause: error },
  );
}
