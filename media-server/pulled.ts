import { randomUUID } from 'node:crypto';
import type { Producer } from 'mediasoup/types';
import type { EndReason, Kind } from '../core/channel/media.ts';
import type { NodeRef, PipedTrack, PipeNotice } from '../core/channel/pipes.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import type { NodeId } from '../core/registry/record.ts';
import type { CarriedTrack, Carrier, TrackChange } from './carrier.ts';
import { Meter } from './meter.ts';
import type { Neighbour, NeighbourPipe } from './neighbour.ts';
import { streamChanged } from './play-source.ts';
import type { MediaWorker } from './worker.ts';

/** What comes this soon after a track of its kind went takes its place: the parent may tell the two apart. */
const REPLACED_WITHIN_MS = 2000;

export interface PulledOptions {
  readonly stream: StreamName;
  readonly by: NodeId;
  readonly parent: NodeRef;
  readonly path: readonly NodeId[];
  readonly neighbour: Neighbour;
  readonly pipe: NeighbourPipe;
  readonly onTracksChanged: (pulled: Pulled, change: TrackChange) => void;
  /** The parent has a newer generation; this one stays for a moment. */
  readonly onMoved: (pulled: Pulled) => void;
  /** Another media server carries the stream; this one stays for a moment. */
  readonly onElsewhere: (pulled: Pulled) => void;
  /** Called once; not for what is closed here. @param reason of the stream's end, where it ended */
  readonly onEnded: (pulled: Pulled, reason: EndReason | undefined) => void;
  readonly onLeft: (pulled: Pulled) => void;
  readonly received: { bytes: number };
}

interface PulledTrack extends CarriedTrack {
  /** At the parent. */
  readonly id: string;
}

/**
 * One generation of a stream as this media server has it from another: its tracks as producers of one of our
 * routers, paused, added and removed as they are there.
 */
export class Pulled implements Carrier {
  readonly worker: MediaWorker;
  readonly parent: NodeRef;
  /** The media servers from the stream's origin to the parent. */
  readonly path: readonly NodeId[];
  readonly generation = randomUUID();
  retired = false;
  /** The parent has a newer generation. */
  moved = false;
  readonly #options: PulledOptions;
  readonly #release: () => void;
  readonly #stopListening: () => void;
  readonly #tracks = new Map<string, PulledTrack>();
  readonly #meter = new Meter();
  /** As the parent last said. */
  #wanted: readonly PipedTrack[] = [];
  #epoch = 0;
  #update: Promise<void> = Promise.resolve();
  #updates = 0;
  #begun = false;
  readonly #goneAtMs = new Map<Kind, number>();
  #watchers = 0;
  #closed = false;

  /** @throws MillraceError as the call `pull` and `MediaWorker.ask`; nothing is left open then */
  static async open(options: PulledOptions): Promise<Pulled> {
    const pulled = new Pulled(options);
    try {
      await pulled.#begin();
      return pulled;
    } catch (error) {
      pulled.close();
      throw error;
    }
  }

  private constructor(options: PulledOptions) {
    const { pipe, neighbour, parent, path } = options;
    this.#options = options;
    this.worker = pipe.end.worker;
    this.parent = parent;
    this.path = path;
    this.worker.streams++;
    this.#release = pipe.use();
    const stopNotices = neighbour.onNotice((notice) => this.#heard(notice));
    const stopClosed = pipe.end.onClosed(() => this.#end(undefined));
    this.#stopListening = () => {
      stopNotices();
      stopClosed();
    };
  }

  get epoch(): number {
    return this.#epoch;
  }

  get producers(): readonly PulledTrack[] {
    return [...this.#tracks.values()];
  }

  get closed(): boolean {
    return this.#closed;
  }

  get watchers(): number {
    return this.#watchers;
  }

  watch(): () => void {
    this.#watchers++;
    let watching = true;
    return () => {
      if (!watching) return;
      watching = false;
      if (--this.#watchers === 0) this.#options.onLeft(this);
    };
  }

  /** Asks the worker how much came. Never throws. */
  async sample(): Promise<void> {
    if (this.#closed) return;
    try {
      const stats = await Promise.all(
        this.producers.map(({ producer }) => this.worker.ask('reading statistics', producer.getStats())),
      );
      for (const { ssrc, byteCount } of stats.flat()) {
        this.#options.received.bytes += this.#meter.growth(`${ssrc}`, byteCount);
      }
    } catch {
      // Closed meanwhile, or the worker is gone.
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.worker.streams--;
    this.#stopListening();
    for (const { producer } of this.#tracks.values()) producer.close();
    this.#release();
    const { neighbour } = this.#options;
    // Where the channel is gone, so is the pull.
    if (!neighbour.closed) neighbour.call('release', { pull: this.generation }).catch(() => {});
  }

  async #begin(): Promise<void> {
    const { neighbour, pipe, stream, by } = this.#options;
    const { epoch, tracks } = await neighbour.call('pull', {
      pipe: pipe.id,
      pull: this.generation,
      stream,
      by,
    });
    this.#epoch = epoch;
    this.#wanted = tracks;
    await this.#follow();
    if (this.#closed) throw streamChanged();
    this.#begun = true;
  }

  #heard(notice: PipeNotice): void {
    if (!('pull' in notice) || notice.pull !== this.generation || this.#closed) return;
    switch (notice.type) {
      case 'pull.moved':
        if (notice.elsewhere) {
          this.#options.onElsewhere(this);
          return;
        }
        this.moved = true;
        this.#options.onMoved(this);
        return;
      case 'pull.ended':
        this.#end(notice.reason);
        return;
      case 'track.paused':
        this.#wanted = this.#wanted.map((track) =>
          track.producerId === notice.producerId ? { ...track, paused: notice.paused } : track,
        );
        this.#followSoon();
        return;
      case 'tracks.changed':
        this.#wanted = notice.tracks;
        this.#followSoon();
        return;
    }
  }

  /** A failure means that the worker is gone, or holds what it should not: the stream is pulled anew. */
  #followSoon(): void {
    this.#follow().catch(() => this.#end(undefined));
  }

  /** One after the other; those that wait see the newest. */
  #follow(): Promise<void> {
    if (this.#updates > 1) return this.#update;
    this.#updates++;
    this.#update = this.#update
      .then(() => this.#becomeWanted())
      .finally(() => {
        this.#updates--;
      });
    return this.#update;
  }

  async #becomeWanted(): Promise<void> {
    if (this.#closed) return;
    const wanted = this.#wanted;
    const nowMs = performance.now();
    for (const [id, { plan, producer }] of this.#tracks) {
      if (wanted.some(({ producerId }) => producerId === id)) continue;
      this.#tracks.delete(id);
      this.#goneAtMs.set(plan.kind, nowMs);
      producer.close();
    }
    const fresh = wanted.filter(({ producerId }) => !this.#tracks.has(producerId));
    await Promise.all(fresh.map((track) => this.#receive(track)));
    await Promise.all(this.#wanted.map(({ producerId, paused }) => this.#pause(producerId, paused)));
    if (fresh.length === 0 || !this.#begun) return;
    const replaces = ({ kind }: PipedTrack) =>
      (this.#goneAtMs.get(kind) ?? -Infinity) > nowMs - REPLACED_WITHIN_MS;
    const replaced = fresh.some(replaces);
    this.#options.onTracksChanged(this, { added: !replaced || !fresh.every(replaces), replaced });
  }

  async #receive(track: PipedTrack): Promise<void> {
    const producer = await this.#options.pipe.end.receive(track);
    if (this.#closed) return producer.close();
    const { producerId: id, kind, codec } = track;
    this.#tracks.set(id, { id, plan: { kind, codec }, producer });
  }

  async #pause(id: string, paused: boolean): Promise<void> {
    const producer: Producer | undefined = this.#tracks.get(id)?.producer;
    if (!producer || producer.closed || producer.paused === paused) return;
    await this.worker.ask('following a mute over a pipe', paused ? producer.pause() : producer.resume());
  }

  #end(reason: EndReason | undefined): void {
    if (this.#closed) return;
    this.close();
    this.#options.onEnded(this, reason);
  }
}
