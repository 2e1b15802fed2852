import type { Consumer, Producer } from 'mediasoup/types';
import type { Codec, Kind } from '../../core/channel/media.ts';
import type { PipedTrack } from '../../core/channel/pipes.ts';
import type { OwnPipe } from './own-pipe.ts';
import type { Reception } from './reception.ts';
import type { Addressed } from './track-table.ts';

/** WebM holds no H264. */
export function isRecordable(codec: Codec): boolean {
  return codec !== 'H264';
}

/** One track on its way from a pipe to the muxer. It ends when its pull says so, or with its pipe. */
export class ReceivedTrack implements Addressed {
  readonly number: number;
  readonly kind: Kind;
  readonly ssrcs: readonly number[];
  readonly #reception: Reception;
  readonly #consumer: Consumer;
  readonly #producer: Producer;
  #muted: boolean;
  /** Since when packets are to be expected: its beginning, or the end of its last mute. */
  #dueSinceMs: number;
  #lastPacketAtMs: number | undefined;
  #closed = false;

  /** @throws Error as `OwnWorker.ask`; nothing is left open then, and nobody was told */
  static async open(piped: PipedTrack, pipe: OwnPipe, reception: Reception): Promise<ReceivedTrack> {
    const producer = await pipe.receive(piped);
    try {
      const { consumer, ssrcs } = await reception.tap.add(producer);
      return new ReceivedTrack(piped, producer, consumer, ssrcs, reception);
    } catch (error) {
      producer.close();
      throw error;
    }
  }

  private constructor(
    piped: PipedTrack,
    producer: Producer,
    consumer: Consumer,
    ssrcs: readonly number[],
    reception: Reception,
  ) {
    const atMs = reception.now();
    this.number = reception.tracks.nextNumber();
    this.kind = piped.kind;
    this.ssrcs = ssrcs;
    this.#reception = reception;
    this.#producer = producer;
    this.#consumer = consumer;
    this.#muted = piped.paused;
    this.#dueSinceMs = atMs;
    const [codec] = consumer.rtpParameters.codecs;
    if (!codec) throw new Error('mediasoup made a consumer without a codec');
    reception.emit({
      type: 'track',
      atMs,
      track: this.number,
      kind: piped.kind,
      codec: piped.codec,
      clockRateHz: codec.clockRate,
      producerId: piped.producerId,
      payloadType: codec.payloadType,
      ssrcs,
      muted: this.#muted,
    });
    reception.tracks.add(this);
  }

  get muted(): boolean {
    return this.#muted;
  }

  get hasMedia(): boolean {
    return this.#lastPacketAtMs !== undefined;
  }

  /** For how long packets have been missing; 0 of a muted track. */
  silentMs(nowMs: number): number {
    if (this.#muted) return 0;
    return nowMs - Math.max(this.#lastPacketAtMs ?? this.#dueSinceMs, this.#dueSinceMs);
  }

  /** Lets packets come; a video begins with a key frame then. @throws Error as `OwnWorker.ask` */
  async begin(): Promise<void> {
    await this.#reception.worker.ask('beginning a track', this.#consumer.resume());
  }

  packet(packet: Uint8Array): void {
    const atMs = this.#reception.now();
    this.#lastPacketAtMs = atMs;
    this.#reception.emit({ type: 'rtp', packet, atMs });
  }

  setMuted(muted: boolean): void {
    if (this.#closed || muted === this.#muted) return;
    const atMs = this.#reception.now();
    this.#muted = muted;
    this.#dueSinceMs = atMs;
    this.#reception.emit({ type: 'muted', track: this.number, muted, atMs });
  }

  requestKeyFrame(): void {
    if (this.#closed) return;
    this.#reception.worker.ask('asking for a key frame', this.#consumer.requestKeyFrame()).catch(() => {});
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#consumer.close();
    this.#producer.close();
    this.#reception.tracks.remove(this);
    this.#reception.emit({ type: 'ended', track: this.number, atMs: this.#reception.now() });
  }
}
