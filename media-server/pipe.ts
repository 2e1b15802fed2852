import type { Consumer, Producer } from 'mediasoup/types';
import { MillraceError } from '../core/protocol/error.ts';
import { PipeEnd } from './pipe-end.ts';
import type { MediaWorker } from './worker.ts';

/** A track stays on its pipe this long after its last viewer: one that reloads the page finds it there. */
const TRACK_LINGER_MS = 10_000;
/** A pipe without tracks stays this long. */
const PIPE_LINGER_MS = 60_000;

/** A track where a viewer can consume it, until `release`. */
export interface TrackSource {
  readonly producer: Producer;
  release(): void;
}

/** A track that one pipe carries one way, shared by all its viewers on the far worker. */
class PipedProducer {
  readonly producer: Producer;
  readonly #consumer: Consumer;
  readonly #onClosed: () => void;
  #users = 0;
  #linger: NodeJS.Timeout | undefined;
  #closed = false;

  static async open(
    producer: Producer,
    from: PipeEnd,
    to: PipeEnd,
    onClosed: () => void,
  ): Promise<PipedProducer> {
    const { track, consumer } = await from.send(producer);
    try {
      return new PipedProducer(await to.receive(track), consumer, onClosed, to.worker);
    } catch (error) {
      consumer.close();
      throw error;
    }
  }

  private constructor(producer: Producer, consumer: Consumer, onClosed: () => void, far: MediaWorker) {
    this.producer = producer;
    this.#consumer = consumer;
    this.#onClosed = onClosed;
    const follow = () => {
      if (producer.closed) return;
      const request = consumer.producerPaused ? producer.pause() : producer.resume();
      // A failure means that the worker is gone, and the producer with it.
      far.ask('following a mute over a pipe', request).catch(() => {});
    };
    consumer.on('producerpause', follow);
    consumer.on('producerresume', follow);
    consumer.observer.once('close', () => this.close());
    producer.observer.once('close', () => this.close());
    // What changed while the far end was being made was told to nobody.
    if (consumer.closed || producer.closed) this.close();
    else if (consumer.producerPaused !== producer.paused) follow();
  }

  use(): TrackSource {
    clearTimeout(this.#linger);
    this.#users++;
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      if (--this.#users === 0 && !this.producer.closed) {
        this.#linger = setTimeout(() => this.close(), TRACK_LINGER_MS);
      }
    };
    return { producer: this.producer, release };
  }

  /** Also called by the end of either half: by the publisher, by a worker's death, by the pipe's close. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#linger);
    this.#consumer.close();
    this.producer.close();
    this.#onClosed();
  }
}

/** The one pipe between two workers of this node. It goes when either worker does. */
class Pipe {
  readonly #ends: readonly [PipeEnd, PipeEnd];
  readonly #tracks = new Map<string, Promise<PipedProducer>>();
  #linger: NodeJS.Timeout | undefined;

  static async open(a: MediaWorker, b: MediaWorker): Promise<Pipe> {
    const options = { ip: '127.0.0.1', srtp: false };
    const opened = await Promise.allSettled([PipeEnd.open(a, options), PipeEnd.open(b, options)]);
    const ends = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    try {
      const [first, second] = ends;
      const failed = opened.find((result) => result.status === 'rejected');
      if (!first || !second) throw failed?.reason;
      await Promise.all([first.connect(second.address), second.connect(first.address)]);
      return new Pipe([first, second]);
    } catch (error) {
      for (const end of ends) end.close();
      throw error;
    }
  }

  private constructor(ends: readonly [PipeEnd, PipeEnd]) {
    this.#ends = ends;
    for (const end of ends) end.onClosed(() => this.close());
    this.#lingerIfIdle();
  }

  get closed(): boolean {
    return this.#ends.some((end) => end.closed);
  }

  onClosed(listener: () => void): void {
    this.#ends[0].onClosed(listener);
  }

  /** Single-flight: viewers that come together wait for the same track. */
  async bring(producer: Producer, to: MediaWorker): Promise<TrackSource> {
    clearTimeout(this.#linger);
    const key = `${producer.id} ${to.index}`;
    let track = this.#tracks.get(key);
    if (!track) {
      const [near, far] = to === this.#ends[0].worker ? [this.#ends[1], this.#ends[0]] : this.#ends;
      track = PipedProducer.open(producer, near, far, () => this.#forget(key));
      this.#tracks.set(key, track);
      track.catch(() => this.#forget(key));
    }
    const piped = await track;
    if (piped.producer.closed) {
      throw new MillraceError('stream_ended', 'the stream changed while it was being joined; play it again');
    }
    return piped.use();
  }

  carries(producer: Producer, to: MediaWorker): boolean {
    return this.#tracks.has(`${producer.id} ${to.index}`);
  }

  close(): void {
    clearTimeout(this.#linger);
    for (const end of this.#ends) end.close();
  }

  #forget(key: string): void {
    this.#tracks.delete(key);
    this.#lingerIfIdle();
  }

  #lingerIfIdle(): void {
    if (this.#tracks.size > 0 || this.closed) return;
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.close(), PIPE_LINGER_MS);
  }
}

/** The pipes between this node's workers: one for any two of them, made when a viewer first needs it. */
export class PipeSet {
  readonly #pipes = new Map<string, Promise<Pipe>>();
  readonly #open = new Set<Pipe>();

  /**
   * A producer of `from` as a producer of `to`.
   *
   * @throws MillraceError as `MediaWorker.ask`; `stream_ended` when the producer closed meanwhile
   */
  async bring(producer: Producer, from: MediaWorker, to: MediaWorker): Promise<TrackSource> {
    if (from === to) return { producer, release: () => {} };
    const pipe = await this.#between(from, to);
    return pipe.bring(producer, to);
  }

  /** Whether viewers on `to` can have the producer without a new transfer. */
  carries(producer: Producer, to: MediaWorker): boolean {
    for (const pipe of this.#open) if (pipe.carries(producer, to)) return true;
    return false;
  }

  get size(): number {
    return this.#open.size;
  }

  close(): void {
    for (const pipe of this.#open) pipe.close();
  }

  #between(a: MediaWorker, b: MediaWorker): Promise<Pipe> {
    const key = [a.pid, b.pid].sort((x, y) => x - y).join(' ');
    let pipe = this.#pipes.get(key);
    if (!pipe) {
      pipe = Pipe.open(a, b);
      this.#pipes.set(key, pipe);
      const forget = () => this.#pipes.delete(key);
      pipe.then((opened) => {
        this.#open.add(opened);
        const close = () => {
          this.#open.delete(opened);
          forget();
        };
        if (opened.closed) close();
        else opened.onClosed(close);
      }, forget);
    }
    return pipe;
  }
}
