import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { EndReason, PlayReply, PlayRequest, StreamOrigin } from '../core/channel/media.ts';
import type { NodeRef } from '../core/channel/pipes.ts';
import { chooseWorker } from '../core/placement/worker.ts';
import { MillraceError } from '../core/protocol/error.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import type { NodeId } from '../core/registry/record.ts';
import { Audience } from './audience.ts';
import type { Neighbours } from './neighbours.ts';
import { streamChanged } from './play-source.ts';
import { Pulled } from './pulled.ts';
import type { StreamContext } from './stream-context.ts';

/** How many media servers may lie between a stream's origin and a viewer, the viewer's own included. */
export const MAX_DEPTH = 3;
/** A stream stays this long after its last viewer: one that reloads the page finds it there. */
const LINGER_MS = 10_000;
const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 50;

export interface EdgeContext extends StreamContext {
  readonly neighbours: Neighbours;
  readonly count: EdgeCount;
}

/** Of all edges of this media server. */
export interface EdgeCount {
  readonly received: { bytes: number };
  pulls: number;
  failures: number;
  /** Pulls that took the place of another: a new generation, or another parent. */
  renewals: number;
}

export function noEdgeCount(): EdgeCount {
  return { received: { bytes: 0 }, pulls: 0, failures: 0, renewals: 0 };
}

/**
 * A stream that is published elsewhere, for the viewers that it has here, and for media servers that pull it
 * from here. It is pulled once, from its origin or from whom the origin refers to, and goes some seconds after
 * its last watcher; its viewers see of it what the origin's viewers see of the stream.
 */
export class Edge {
  readonly name: StreamName;
  readonly audience: Audience;
  readonly #context: EdgeContext;
  readonly #log: Logger;
  readonly #onEnded: (edge: Edge) => void;
  #origin: StreamOrigin;
  #current: Pulled | undefined;
  readonly #retired = new Map<Pulled, NodeJS.Timeout>();
  #pursuit: Promise<void> | undefined;
  #linger: NodeJS.Timeout | undefined;
  #joining = 0;
  /** Media servers that are not to be asked in this pursuit. */
  #unreached: readonly NodeId[] = [];
  #ended = false;

  constructor(name: StreamName, origin: StreamOrigin, context: EdgeContext, onEnded: (edge: Edge) => void) {
    this.name = name;
    this.#origin = origin;
    this.#context = context;
    this.#log = context.log.child({ stream: name, origin: origin.node });
    this.#onEnded = onEnded;
    this.audience = new Audience(name, context, () => this.#carrier());
  }

  get epoch(): number {
    return Math.max(this.#origin.epoch, this.#current?.epoch ?? 0);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The media servers from the stream's origin to this one. */
  get path(): readonly NodeId[] {
    return [...(this.#current?.path ?? []), this.#context.settings.nodeId];
  }

  /** All that statistics are read of. */
  *sampled() {
    if (this.#current) yield this.#current;
    yield* this.audience.plays;
  }

  /** @throws MillraceError as `Audience.play`, and as the calls to the media servers that have the stream */
  async play(request: PlayRequest, origin: StreamOrigin): Promise<PlayReply> {
    this.#joining++;
    clearTimeout(this.#linger);
    try {
      if (origin.epoch > this.epoch || (origin.epoch === this.epoch && origin.node !== this.#origin.node)) {
        // Published anew, on another media server: those who watch move there too.
        this.#origin = origin;
        if (this.#current) this.#retire(this.#current);
      }
      await this.ready();
      return await this.audience.play(request);
    } finally {
      this.#joining--;
      this.#lingerIfUnused();
    }
  }

  /** Resolves when the stream is here. Single-flight. @throws MillraceError when it cannot be had */
  async ready(): Promise<void> {
    if (this.#ended) throw streamChanged();
    if (this.#has) return;
    await this.#pursue();
  }

  /** Sends its viewers to other media servers, and those that pull from here to the origin. */
  depart(): void {
    if (this.#current) this.audience.moveFrom(this.#current);
  }

  /** Ends it here. @param pulls what those that pull it from here are told: absent = to pull it elsewhere */
  end(reason: EndReason, { pulls }: { readonly pulls?: EndReason } = {}): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#linger);
    this.audience.pulls.endAll(pulls);
    this.audience.endAll(reason);
    for (const retired of [...this.#retired.keys()]) this.#forget(retired);
    this.#current?.close();
    this.#current = undefined;
    this.#log.info({ reason }, 'edge ended');
    this.#onEnded(this);
  }

  #carrier(): Pulled {
    if (this.#current && !this.#current.closed) return this.#current;
    throw new MillraceError('stream_ended', `the stream "${this.name}" has just ended here; play it again`);
  }

  #pursue(from?: NodeRef): Promise<void> {
    this.#pursuit ??= this.#pullAgainAndAgain(from)
      .catch((error: unknown) => {
        this.#context.count.failures++;
        this.#log.warn({ err: error }, 'stream could not be pulled');
        if (!this.#has) this.#over(isA(error, 'stream_not_found') ? 'publisher_closed' : 'media_server_lost');
        throw error;
      })
      .finally(() => {
        this.#pursuit = undefined;
        if (this.#current?.moved) this.#moved(this.#current);
        this.#lingerIfUnused();
      });
    return this.#pursuit;
  }

  /** @param from whom to ask first; the origin afterwards, which knows who is alive */
  async #pullAgainAndAgain(from: NodeRef | undefined): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    for (let attempt = 1; ; attempt++) {
      const origin = this.#origin;
      try {
        const pulled = await this.#pullFrom((attempt === 1 && from) || origin);
        if (this.#ended || origin !== this.#origin || pulled.closed) {
          pulled.close();
          throw streamChanged();
        }
        this.#unreached = [];
        this.#take(pulled);
        return;
      } catch (error) {
        if (this.#ended || attempt === ATTEMPTS || (!from && isOver(error))) throw error;
        from = undefined;
        this.#log.info({ err: error, attempt }, 'stream not pulled yet');
        await sleep(pauseMs);
        pauseMs *= 2;
      }
    }
  }

  async #pullFrom(first: NodeRef): Promise<Pulled> {
    const { neighbours, pool, settings, count } = this.#context;
    const by = { node: settings.nodeId, address: settings.address };
    let parent: NodeRef = { node: first.node, address: first.address };
    for (let hop = 0; hop < MAX_DEPTH; hop++) {
      const neighbour = neighbours.at(parent.address);
      const request = { stream: this.name, by, without: this.#unreached };
      const adoption = await neighbour.call('adopt', request).catch((error: unknown) => {
        if (hop === 0) throw error;
        // What a media server on the way does not have, another one may.
        this.#unreached = [...this.#unreached, parent.node];
        throw streamChanged(error);
      });
      if ('refer' in adoption) {
        parent = adoption.refer;
        continue;
      }
      const { worker: theirs, path } = adoption;
      if (path.includes(by.node)) throw streamChanged();
      const ours = chooseWorker(pool.workers, undefined, Math.random);
      if (!ours) throw new MillraceError('no_media_server', 'no media worker is alive; try again');
      return Pulled.open({
        stream: this.name,
        by: by.node,
        parent,
        path,
        neighbour,
        pipe: await neighbour.pipe(theirs, ours),
        received: count.received,
        onTracksChanged: (pulled, change) => this.audience.tracksChanged(pulled, change),
        onMoved: (pulled) => this.#moved(pulled),
        onElsewhere: (pulled) => this.#elsewhere(pulled),
        onEnded: (pulled, reason) => this.#lost(pulled, reason),
        onLeft: (pulled) => this.#left(pulled),
      });
    }
    throw new MillraceError('too_many', `no media server has room to pass "${this.name}" on; try another`);
  }

  #take(pulled: Pulled): void {
    const before = this.#current;
    this.#current = pulled;
    this.#context.count.pulls++;
    const { parent, epoch, worker } = pulled;
    this.#log.info(
      { parent: parent.node, epoch, worker: worker.index, depth: pulled.path.length },
      'stream pulled',
    );
    if (before && before !== pulled) this.#retire(before);
    // Those whose carrier was lost while there was none to follow to.
    for (const retired of this.#retired.keys()) this.audience.moveFrom(retired);
  }

  /** It stays for those that follow to the next one. */
  #retire(pulled: Pulled): void {
    if (this.#current === pulled) this.#current = undefined;
    if (this.#retired.has(pulled)) return;
    pulled.retired = true;
    const { generationOverlapMs } = this.#context.settings;
    this.#retired.set(
      pulled,
      setTimeout(() => this.#forget(pulled), generationOverlapMs),
    );
    if (this.#current) this.audience.moveFrom(pulled);
    if (pulled.watchers === 0) this.#forget(pulled);
  }

  #forget(pulled: Pulled): void {
    clearTimeout(this.#retired.get(pulled));
    this.#retired.delete(pulled);
    pulled.close();
    this.#lingerIfUnused();
  }

  #moved(pulled: Pulled): void {
    if (pulled !== this.#current || this.#ended) return;
    this.#context.count.renewals++;
    // The older one stays current until the newer one is here.
    this.#pursue(pulled.parent).catch(() => {});
  }

  /** Viewers, and those that pull from here, are told to look the stream up again. */
  #elsewhere(pulled: Pulled): void {
    pulled.retired = true;
    if (pulled === this.#current) this.audience.moveFrom(pulled);
  }

  #lost(pulled: Pulled, reason: EndReason | undefined): void {
    if (this.#ended || pulled !== this.#current) return;
    if (reason) {
      this.#over(reason);
      return;
    }
    this.#context.count.renewals++;
    this.#log.warn({ parent: pulled.parent.node }, 'pull lost; pulling the stream anew');
    this.#retire(pulled);
    if (pulled.parent.node !== this.#origin.node) this.#unreached = [pulled.parent.node];
    this.#pursue().catch(() => {});
  }

  /** The stream is: also for those that pull it from here. */
  #over(reason: EndReason): void {
    this.end(reason, { pulls: reason });
  }

  #left(pulled: Pulled): void {
    if (this.#retired.has(pulled)) this.#forget(pulled);
    this.#lingerIfUnused();
  }

  get #has(): boolean {
    return this.#current !== undefined && !this.#current.closed;
  }

  get #used(): boolean {
    return this.#joining > 0 || this.#pursuit !== undefined || (this.#current?.watchers ?? 0) > 0;
  }

  #lingerIfUnused(): void {
    if (this.#ended || this.#used || this.#retired.size > 0) return;
    clearTimeout(this.#linger);
    const delayMs = this.#current ? LINGER_MS : 0;
    this.#linger = setTimeout(() => {
      if (!this.#used) this.end('closed');
    }, delayMs);
  }
}

/** Whether asking again is of no use. */
function isOver(error: unknown): boolean {
  return isA(error, 'stream_not_found') || isA(error, 'no_media_server') || isA(error, 'too_many');
}

function isA(error: unknown, name: MillraceError['errorName']): boolean {
  return error instanceof MillraceError && error.errorName === name;
}
