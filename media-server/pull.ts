import type { Consumer, Producer } from 'mediasoup/types';
import type { EndReason } from '../core/channel/media.ts';
import type { PipedTrack, PipeNotice, PullId } from '../core/channel/pipes.ts';
import type { Carrier } from './carrier.ts';
import { type PipeEnd, trackOf } from './pipe-end.ts';
import { streamChanged } from './play-source.ts';

export interface PullOptions {
  readonly id: PullId;
  readonly end: PipeEnd;
  readonly publication: Carrier;
  readonly notify: (notice: PipeNotice) => void;
}

/**
 * One publication on its way into a pipe to another process: all encodings of all its tracks, whatever
 * becomes of them. As a play it watches its publication, which stays for a moment after it was retired.
 *
 * It ends with its publication or its pipe, or when it was given time to move and that is over.
 */
export class Pull {
  readonly id: PullId;
  readonly publication: Carrier;
  readonly #end: PipeEnd;
  readonly #notify: (notice: PipeNotice) => void;
  readonly #consumers = new Map<Producer, Consumer>();
  readonly #stopWatching: () => void;
  readonly #stopListening: () => void;
  readonly #closeListeners: (() => void)[] = [];
  #grace: NodeJS.Timeout | undefined;
  /** The caller knows of it; before, its notices would mean nothing. */
  #told = false;
  #update: 'none' | 'running' | 'again' = 'none';
  #closed = false;

  /**
   * @throws MillraceError `stream_ended` when the publication closes meanwhile, and as `PipeEnd.send`; nothing
   *   is left open then
   */
  static async open(options: PullOptions): Promise<Pull> {
    const pull = new Pull(options);
    try {
      await pull.#sendAll();
      return pull;
    } catch (error) {
      pull.close();
      throw options.publication.closed ? streamChanged(error) : error;
    }
  }

  private constructor({ id, end, publication, notify }: PullOptions) {
    this.id = id;
    this.publication = publication;
    this.#end = end;
    this.#notify = notify;
    this.#stopWatching = publication.watch();
    this.#stopListening = end.onClosed(() => this.close());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether all that the publication has now is sent. */
  get complete(): boolean {
    return this.publication.producers.every(({ producer }) => this.#consumers.has(producer));
  }

  /** To be told to the caller in this turn: what changes later is told by notices. */
  tell(): readonly PipedTrack[] {
    this.#told = true;
    return this.#tracks;
  }

  onClosed(listener: () => void): void {
    this.#closeListeners.push(listener);
  }

  /** The publisher changed its tracks in place. */
  async tracksChanged(): Promise<void> {
    if (this.#update !== 'none') {
      this.#update = 'again';
      return;
    }
    try {
      do {
        this.#update = 'running';
        await this.#sendAll();
      } while (this.#isWantedAgain());
    } catch {
      // Its worker is gone, or a pipe can take no more: the caller may pull again.
      this.end();
    }
    this.#update = 'none';
    if (this.#isLive) this.#notify({ type: 'tracks.changed', pull: this.id, tracks: this.#tracks });
  }

  /** Another publication carries the stream: the caller may stay for a moment to pull that. */
  moved(graceMs: number, elsewhere: boolean): void {
    if (this.#closed || this.#grace) return;
    this.#notify({ type: 'pull.moved', pull: this.id, ...(elsewhere && { elsewhere }) });
    if (this.publication.closed) this.end();
    else this.#grace = setTimeout(() => this.end(), graceMs);
  }

  /** As `close`, and the caller is told. @param reason of the stream's end; absent where only this pull ends */
  end(reason?: EndReason): void {
    if (this.#closed) return;
    this.close();
    if (this.#told) this.#notify({ type: 'pull.ended', pull: this.id, ...(reason && { reason }) });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#grace);
    for (const consumer of this.#consumers.values()) consumer.close();
    this.#stopWatching();
    this.#stopListening();
    for (const listener of this.#closeListeners) listener();
  }

  get #isLive(): boolean {
    return this.#told && !this.#closed && !this.publication.closed;
  }

  get #tracks(): readonly PipedTrack[] {
    return [...this.#consumers.values()].map(trackOf);
  }

  #isWantedAgain(): boolean {
    return this.#update === 'again' && !this.#closed;
  }

  async #sendAll(): Promise<void> {
    const unsent = this.publication.producers.filter(({ producer }) => !this.#consumers.has(producer));
    const sent = await Promise.allSettled(unsent.map(({ producer }) => this.#send(producer)));
    if (this.#closed || this.publication.closed) throw streamChanged();
    const failed = sent.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
  }

  async #send(producer: Producer): Promise<void> {
    let consumer: Consumer;
    try {
      ({ consumer } = await this.#end.send(producer));
    } catch (error) {
      // Replaced meanwhile: its successor comes with the next change.
      if (producer.closed) return;
      throw error;
    }
    if (this.#closed) return consumer.close();
    this.#consumers.set(producer, consumer);
    const pausedOrResumed = () => {
      const { producerId, producerPaused: paused } = consumer;
      if (this.#isLive) this.#notify({ type: 'track.paused', pull: this.id, producerId, paused });
    };
    consumer.on('producerpause', pausedOrResumed);
    consumer.on('producerresume', pausedOrResumed);
    const gone = () => {
      if (!this.#consumers.delete(producer) || !this.#isLive) return;
      // Also where the publisher's change failed half-way, of which nobody else is told.
      void this.tracksChanged();
    };
    if (consumer.closed) gone();
    else consumer.observer.once('close', gone);
  }
}
