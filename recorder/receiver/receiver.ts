import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { PipeChannel } from '../../core/channel/pipes.ts';
import type { StreamSource } from '../../core/channel/recorder.ts';
import type { StreamName } from '../../core/protocol/stream-name.ts';
import type { MuxerRequest, SourceEvent } from '../source-event.ts';
import { EventLog } from './event-log.ts';
import { MuxerSocket } from './muxer-socket.ts';
import type { PipeListen } from './own-pipe.ts';
import { OwnWorker } from './own-worker.ts';
import type { Reception } from './reception.ts';
import { Subscription } from './subscription.ts';
import { Tap } from './tap.ts';
import { TrackTable } from './track-table.ts';

const TICK_MS = 100;
/** What is not durable is kept for the next muxer up to this: more than 10 s of the highest bitrate. */
const MAX_KEPT_BYTES = 32 * 1024 * 1024;

export interface ReceiverOptions {
  readonly stream: StreamName;
  /** Unix socket for muxers. */
  readonly socketPath: string;
  readonly workerBin: string;
  readonly pipeListen: PipeListen;
  /** Opens the internal channel of the media server at an address. */
  readonly connect: (address: string) => PipeChannel;
  readonly log: Logger;
  /** The own worker is gone: so is all that was received with it, and the receiver cannot go on. */
  readonly onWorkerDied: (reason: string) => void;
}

export interface ReceiverState {
  /** The stream is pulled, and media of it came, or all of it is muted. */
  readonly receiving: boolean;
  /** Since the last packet of media, or since the beginning while there was none. */
  readonly silentMs: number;
  /** What hinders it now, for people. */
  readonly problem: string | undefined;
}

/**
 * Receives a stream, wherever it is published, and hands what comes to one muxer after another.
 *
 * Closing goes from the muxer's socket and the subscriptions to the worker.
 */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #worker: OwnWorker;
  readonly #tap: Tap;
  readonly #reception: Reception;
  readonly #events: EventLog;
  readonly #socket: MuxerSocket;
  readonly #ticker: NodeJS.Timeout;
  #current: Subscription | undefined;
  /** Of another media server; it goes when the current one has it all. */
  #older: Subscription | undefined;
  #lastPacketAtMs = performance.now();
  #closed = false;

  /** @throws Error when the worker or a socket cannot be had */
  static async start(options: ReceiverOptions): Promise<Receiver> {
    const atMs = performance.now();
    const events = new EventLog({
      hello: { type: 'hello', receiver: randomUUID(), unixMs: Date.now(), atMs },
      maxBytes: MAX_KEPT_BYTES,
    });
    const worker = await OwnWorker.start(options.workerBin);
    let receiver: Receiver | undefined;
    const tell = (what: (receiver: Receiver) => void) => {
      if (receiver) what(receiver);
    };
    let tap: Tap | undefined;
    try {
      tap = await Tap.open(worker, {
        onRtp: (ssrc, packet) => tell((to) => to.#packet(ssrc, packet)),
        onSenderReports: (packet) =>
          tell((to) => to.#emit({ type: 'rtcp', packet, atMs: performance.now() })),
      });
      const socket = await MuxerSocket.listen({
        path: options.socketPath,
        events,
        log: options.log,
        onRequest: (request) => tell((to) => to.#request(request)),
      });
      receiver = new Receiver(options, worker, tap, events, socket);
      return receiver;
    } catch (error) {
      tap?.close();
      await worker.close();
      throw error;
    }
  }

  private constructor(
    options: ReceiverOptions,
    worker: OwnWorker,
    tap: Tap,
    events: EventLog,
    socket: MuxerSocket,
  ) {
    this.#options = options;
    this.#worker = worker;
    this.#tap = tap;
    this.#events = events;
    this.#socket = socket;
    this.#reception = {
      worker,
      pipeListen: options.pipeListen,
      tap,
      tracks: new TrackTable(),
      emit: (event) => this.#emit(event),
      now: () => performance.now(),
    };
    worker.onDied((reason) => {
      if (!this.#closed) options.onWorkerDied(reason);
    });
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    options.log.info(
      { workerPid: worker.pid, receiveBufferBytes: tap.receiveBufferBytes },
      'receiver started',
    );
  }

  get state(): ReceiverState {
    return {
      receiving: this.#current?.receiving ?? false,
      silentMs: Math.round(performance.now() - this.#lastPacketAtMs),
      problem: this.#current?.problem,
    };
  }

  /** @param source where the stream is published now; null = nowhere: what comes still is taken */
  follow(source: StreamSource | null): void {
    if (this.#closed) return;
    if (source === null) {
      this.#current?.giveUp();
    } else if (this.#current?.address === source.address) {
      this.#current.seek();
    } else {
      this.#older?.close();
      this.#older = this.#current;
      this.#older?.giveUp();
      const { stream, connect, log } = this.#options;
      this.#current = new Subscription({
        stream,
        address: source.address,
        connect,
        reception: this.#reception,
        log: log.child({ stream }),
      });
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#ticker);
    this.#current?.close();
    this.#older?.close();
    this.#socket.close();
    this.#tap.close();
    await this.#worker.close();
  }

  #packet(ssrc: number, packet: Uint8Array): void {
    const track = this.#reception.tracks.ofSsrc(ssrc);
    if (!track) return;
    this.#lastPacketAtMs = performance.now();
    track.packet(packet);
  }

  #emit(event: SourceEvent): void {
    if (this.#closed) return;
    this.#events.append(event);
  }

  #request(request: MuxerRequest): void {
    if (request.type === 'key-frame') this.#reception.tracks.get(request.track)?.requestKeyFrame();
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#emit({ type: 'tick', atMs: nowMs });
    this.#socket.send();
    this.#current?.check(nowMs);
    if (this.#older && (this.#current?.settled(nowMs) || this.#older.over)) {
      this.#older.close();
      this.#older = undefined;
    }
  }
}
