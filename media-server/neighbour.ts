import { randomUUID } from 'node:crypto';
import type { PipeCalls, PipeChannel, PipeId, PipeNotice, WorkerRef } from '../core/channel/pipes.ts';
import { MillraceError } from '../core/protocol/error.ts';
import { PipeEnd } from './pipe-end.ts';
import type { MediaServerSettings } from './settings.ts';
import type { MediaWorker } from './worker.ts';

const CALL_TIMEOUT_MS = 3000;
/** A pipe without streams stays this long. */
const PIPE_LINGER_MS = 60_000;

type Settings = Pick<MediaServerSettings, 'pipeListen' | 'pipePorts'>;

/** This end of a pipe from another media server, shared by the streams that come by it. */
export class NeighbourPipe {
  readonly id: PipeId = randomUUID();
  readonly end: PipeEnd;
  readonly #onUnused: () => void;
  #users = 0;
  #linger: NodeJS.Timeout | undefined;

  constructor(end: PipeEnd, onUnused: () => void) {
    this.end = end;
    this.#onUnused = onUnused;
    end.onClosed(() => clearTimeout(this.#linger));
  }

  /** @returns the way to let go of it */
  use(): () => void {
    clearTimeout(this.#linger);
    this.#users++;
    let using = true;
    return () => {
      if (!using) return;
      using = false;
      if (--this.#users === 0 && !this.end.closed) this.#linger = setTimeout(this.#onUnused, PIPE_LINGER_MS);
    };
  }
}

/** Another media server, as this one pulls streams from it: the channel, and one pipe for any two workers. */
export class Neighbour {
  readonly #channel: PipeChannel;
  readonly #settings: Settings;
  readonly #pipes = new Map<string, Promise<NeighbourPipe>>();
  readonly #open = new Set<NeighbourPipe>();
  #closed = false;

  /** @param onClosed called once, when the channel is gone for good; its pipes have closed then */
  constructor(channel: PipeChannel, settings: Settings, onClosed: () => void) {
    this.#channel = channel;
    this.#settings = settings;
    channel.onNotice((notice) => {
      if (notice.type === 'pipe.closed') this.#pipeClosed(notice.pipe);
    });
    channel.onClose(() => {
      this.#closed = true;
      for (const { end } of this.#open) end.close();
      onClosed();
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  get pipes(): number {
    return this.#open.size;
  }

  /** @throws MillraceError as `Channel.call` */
  call<Name extends keyof PipeCalls & string>(
    name: Name,
    request: PipeCalls[Name]['request'],
  ): Promise<PipeCalls[Name]['reply']> {
    return this.#channel.call(name, request, { timeoutMs: CALL_TIMEOUT_MS });
  }

  /** @returns the way to stop listening */
  onNotice(listener: (notice: PipeNotice) => void): () => void {
    return this.#channel.onNotice(listener);
  }

  /**
   * The pipe between one of its workers and one of ours. Single-flight.
   *
   * @throws MillraceError as the call `open` and `MediaWorker.ask`
   */
  async pipe(theirs: WorkerRef, ours: MediaWorker): Promise<NeighbourPipe> {
    const key = `${theirs} ${ours.ref}`;
    let pipe = this.#pipes.get(key);
    if (!pipe) {
      pipe = this.#openPipe(theirs, ours, () => this.#pipes.delete(key));
      this.#pipes.set(key, pipe);
      pipe.catch(() => this.#pipes.delete(key));
    }
    return pipe;
  }

  close(): void {
    this.#channel.close();
  }

  async #openPipe(theirs: WorkerRef, ours: MediaWorker, onClosed: () => void): Promise<NeighbourPipe> {
    const { pipeListen: ip, pipePorts: ports } = this.#settings;
    const end = await PipeEnd.open(ours, { ip, ports, srtp: true });
    const pipe = new NeighbourPipe(end, () => end.close());
    try {
      const reply = await this.call('open', { pipe: pipe.id, worker: theirs, end: end.address });
      await end.connect(reply.end);
      if (this.#closed || end.closed) {
        throw new MillraceError('no_media_server', 'the other media server is gone; try again');
      }
    } catch (error) {
      end.close();
      this.#tellClosed(pipe);
      throw error;
    }
    this.#open.add(pipe);
    end.onClosed(() => {
      this.#open.delete(pipe);
      onClosed();
      this.#tellClosed(pipe);
    });
    return pipe;
  }

  #tellClosed({ id }: NeighbourPipe): void {
    if (!this.#closed) this.call('close', { pipe: id }).catch(() => {});
  }

  /** The worker at the other end is gone. */
  #pipeClosed(id: PipeId): void {
    for (const pipe of this.#open) if (pipe.id === id) pipe.end.close();
  }
}
