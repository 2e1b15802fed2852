import { randomUUID } from 'node:crypto';
import type { PipeChannel, PipedTrack, PipeNotice, WorkerRef } from '../../core/channel/pipes.ts';
import type { StreamName } from '../../core/protocol/stream-name.ts';
import { OwnPipe } from './own-pipe.ts';
import { isRecordable, ReceivedTrack } from './received-track.ts';
import type { Reception } from './reception.ts';

const CALL_TIMEOUT_MS = 3000;

export interface PullOptions {
  readonly channel: PipeChannel;
  readonly stream: StreamName;
  readonly reception: Reception;
  /** A newer publication carries the stream; this one stays for a moment. */
  readonly onMoved: (pull: Pull) => void;
  /** Called once, when the media server ended it, or it failed; not when it is closed. */
  readonly onEnded: (pull: Pull) => void;
}

/**
 * One publication of the stream as this process receives it, over a pipe of its own. (A pipe can be shared by
 * many streams, but a recorder has one.)
 */
export class Pull {
  readonly #options: PullOptions;
  readonly #id = randomUUID();
  readonly #pipe: OwnPipe;
  readonly #stopListening: () => void;
  readonly #tracks = new Map<string, ReceivedTrack>();
  /** As the media server last said. */
  #wanted: readonly PipedTrack[] = [];
  #update: 'none' | 'running' | 'again' = 'none';
  #completeSinceMs: number | undefined;
  #closed = false;

  /**
   * @throws MillraceError as the calls do, Error as `OwnWorker.ask`; nothing is left open then
   */
  static async open(options: PullOptions): Promise<Pull> {
    const { channel, stream, reception } = options;
    const { worker } = await channel.call('locate', { stream }, { timeoutMs: CALL_TIMEOUT_MS });
    const pull = new Pull(options, await OwnPipe.open(reception.worker, reception.pipeListen));
    try {
      await pull.#begin(worker);
      return pull;
    } catch (error) {
      pull.close();
      throw error;
    }
  }

  private constructor(options: PullOptions, pipe: OwnPipe) {
    this.#options = options;
    this.#pipe = pipe;
    this.#stopListening = options.channel.onNotice((notice) => this.#heard(notice));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether media came, or all of it is muted. */
  get receiving(): boolean {
    const tracks = [...this.#tracks.values()];
    return (
      tracks.some(({ hasMedia }) => hasMedia) || (tracks.length > 0 && tracks.every(({ muted }) => muted))
    );
  }

  /** For how long every track that is not muted has come. */
  completeForMs(nowMs: number): number {
    const complete = [...this.#tracks.values()].every(({ hasMedia, muted }) => hasMedia || muted);
    if (!complete || this.#tracks.size === 0) this.#completeSinceMs = undefined;
    else this.#completeSinceMs ??= nowMs;
    return nowMs - (this.#completeSinceMs ?? nowMs);
  }

  /**
   * For how long nothing came at all; 0 while nothing is to be expected. A track that is silent alone is its
   * publisher's doing, as the pipe carries the others.
   */
  silentMs(nowMs: number): number {
    const due = [...this.#tracks.values()].filter(({ muted }) => !muted);
    return due.length === 0 ? 0 : Math.min(...due.map((track) => track.silentMs(nowMs)));
  }

  /** What of it cannot be recorded. */
  get unrecordable(): readonly PipedTrack[] {
    return this.#wanted.filter(({ codec }) => !isRecordable(codec));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopListening();
    for (const track of this.#tracks.values()) track.close();
    this.#tracks.clear();
    this.#pipe.close();
    // Where the channel is gone, so is the other end of the pipe.
    const { channel } = this.#options;
    channel.call('close', { pipe: this.#id }, { timeoutMs: CALL_TIMEOUT_MS }).catch(() => {});
  }

  async #begin(worker: WorkerRef): Promise<void> {
    const { channel, stream } = this.#options;
    const { end } = await channel.call(
      'open',
      { pipe: this.#id, worker, end: this.#pipe.address },
      { timeoutMs: CALL_TIMEOUT_MS },
    );
    await this.#pipe.connect(end);
    const { tracks } = await channel.call(
      'pull',
      { pipe: this.#id, pull: this.#id, stream },
      { timeoutMs: CALL_TIMEOUT_MS },
    );
    this.#wanted = tracks;
    await this.#receiveWanted();
  }

  #heard(notice: PipeNotice): void {
    if (this.#closed) return;
    if ('pull' in notice ? notice.pull !== this.#id : notice.pipe !== this.#id) return;
    switch (notice.type) {
      case 'pull.moved':
        this.#options.onMoved(this);
        return;
      case 'pull.ended':
      case 'pipe.closed':
        this.#fail();
        return;
      case 'track.paused':
        this.#wanted = this.#wanted.map((track) =>
          track.producerId === notice.producerId ? { ...track, paused: notice.paused } : track,
        );
        this.#tracks.get(notice.producerId)?.setMuted(notice.paused);
        return;
      case 'tracks.changed':
        this.#wanted = notice.tracks;
        this.#receiveWanted().catch(() => this.#fail());
        return;
    }
  }

  #fail(): void {
    if (this.#closed) return;
    this.close();
    this.#options.onEnded(this);
  }

  /** Brings the tracks to what is wanted, also where that changes meanwhile. @throws Error as `ReceivedTrack.open` */
  async #receiveWanted(): Promise<void> {
    if (this.#update !== 'none') {
      this.#update = 'again';
      return;
    }
    try {
      do {
        this.#update = 'running';
        this.#dropUnwanted();
        await Promise.all(
          this.#wanted
            .filter(({ producerId, codec }) => isRecordable(codec) && !this.#tracks.has(producerId))
            .map((piped) => this.#receive(piped)),
        );
      } while (this.#isWantedAgain());
    } finally {
      this.#update = 'none';
    }
  }

  #isWantedAgain(): boolean {
    return this.#update === 'again' && !this.#closed;
  }

  #dropUnwanted(): void {
    for (const [producerId, track] of this.#tracks) {
      if (this.#wanted.some((piped) => piped.producerId === producerId)) continue;
      this.#tracks.delete(producerId);
      track.close();
    }
  }

  async #receive(piped: PipedTrack): Promise<void> {
    const track = await ReceivedTrack.open(piped, this.#pipe, this.#options.reception);
    if (this.#closed) return track.close();
    this.#tracks.set(piped.producerId, track);
    // Muted or unmuted while it was being made.
    const now = this.#wanted.find(({ producerId }) => producerId === piped.producerId);
    if (now) track.setMuted(now.paused);
    await track.begin();
  }
}
