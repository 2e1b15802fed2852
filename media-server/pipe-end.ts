import type { Consumer, PipeTransport, Producer, RtpParameters } from 'mediasoup/types';
import type { Codec } from '../core/channel/media.ts';
import type { PipeAddress, PipedTrack } from '../core/channel/pipes.ts';
import { MillraceError } from '../core/protocol/error.ts';
import type { PortRange } from './settings.ts';
import { type MediaWorker, SOCKET_BUFFER_BYTES } from './worker.ts';

/**
 * A pipe's viewers join together: they share the key frame that the first of them asks for. The origin is
 * asked at most once in this time.
 */
const KEY_FRAME_REQUEST_DELAY_MS = 1000;
const SSRC_ATTEMPTS = 8;

export interface PipeEndOptions {
  readonly ip: string;
  /** Absent = any. */
  readonly ports?: PortRange | undefined;
  /** Both ends alike. Media within one machine need not be encrypted. */
  readonly srtp: boolean;
}

/**
 * One end of a pipe between two routers; what passes between the ends is plain data, so the other one may
 * be in another process. A pipe carries tracks both ways, of all streams that the two routers share.
 */
export class PipeEnd {
  readonly worker: MediaWorker;
  readonly #transport: PipeTransport;
  /** SSRCs that this end sends; the other end tells tracks apart by nothing else. */
  readonly #ssrcs = new Set<number>();

  /** @throws MillraceError as `MediaWorker.ask` */
  static async open(worker: MediaWorker, { ip, ports, srtp }: PipeEndOptions): Promise<PipeEnd> {
    const transport = await worker.ask(
      'creating a pipe',
      worker.router.createPipeTransport({
        listenInfo: {
          protocol: 'udp',
          ip,
          ...(ports ? { portRange: ports } : {}),
          sendBufferSize: SOCKET_BUFFER_BYTES,
          recvBufferSize: SOCKET_BUFFER_BYTES,
        },
        enableRtx: true,
        enableSrtp: srtp,
      }),
    );
    return new PipeEnd(worker, transport);
  }

  private constructor(worker: MediaWorker, transport: PipeTransport) {
    this.worker = worker;
    this.#transport = transport;
  }

  get address(): PipeAddress {
    const { tuple, srtpParameters } = this.#transport;
    return {
      ip: tuple.localAddress,
      port: tuple.localPort,
      ...(srtpParameters ? { srtpParameters } : {}),
    };
  }

  get closed(): boolean {
    return this.#transport.closed;
  }

  /** @returns the way to stop listening */
  onClosed(listener: () => void): () => void {
    this.#transport.observer.once('close', listener);
    return () => this.#transport.observer.off('close', listener);
  }

  async connect(other: PipeAddress): Promise<void> {
    await this.worker.ask('connecting a pipe', this.#transport.connect({ ...other }));
  }

  /**
   * Sends a producer of this end's router into the pipe, all encodings of it.
   *
   * mediasoup draws a consumer's SSRCs at random and does not compare them with those already on the pipe,
   * where one that is taken would mix two tracks: such a consumer is drawn again.
   */
  async send(producer: Producer): Promise<{ readonly track: PipedTrack; readonly consumer: Consumer }> {
    for (let attempt = 1; attempt <= SSRC_ATTEMPTS; attempt++) {
      const consumer = await this.worker.ask(
        'sending a track into a pipe',
        this.#transport.consume({ producerId: producer.id }),
      );
      const ssrcs = ssrcsOf(consumer.rtpParameters);
      if (new Set(ssrcs).size === ssrcs.length && ssrcs.every((ssrc) => !this.#ssrcs.has(ssrc))) {
        for (const ssrc of ssrcs) this.#ssrcs.add(ssrc);
        consumer.observer.once('close', () => {
          for (const ssrc of ssrcs) this.#ssrcs.delete(ssrc);
        });
        return { track: trackOf(consumer), consumer };
      }
      consumer.close();
    }
    throw new MillraceError('internal', `no free SSRC on a pipe in ${SSRC_ATTEMPTS} attempts; try again`);
  }

  /**
   * Makes the track that the other end sends a producer of this end's router, under an id of its own: while one
   * pull takes another's place, the same track may be here twice.
   */
  receive({ kind, rtpParameters, paused }: PipedTrack): Promise<Producer> {
    return this.worker.ask(
      'receiving a track from a pipe',
      this.#transport.produce({
        kind,
        rtpParameters,
        paused,
        keyFrameRequestDelay: KEY_FRAME_REQUEST_DELAY_MS,
      }),
    );
  }

  close(): void {
    this.#transport.close();
  }
}

/** A track as the far end must know it, at this moment. */
export function trackOf({ producerId, kind, rtpParameters, producerPaused }: Consumer): PipedTrack {
  return { producerId, kind, codec: codecOf(rtpParameters), rtpParameters, paused: producerPaused };
}

/** A producer has one media codec, ahead of its RTX. */
function codecOf({ codecs }: RtpParameters): Codec {
  // Routers are made of these codecs only: see `routerCodecs`.
  return codecs[0]?.mimeType.split('/')[1] as Codec;
}

function ssrcsOf({ encodings = [] }: RtpParameters): number[] {
  return encodings.flatMap(({ ssrc, rtx }) => [
    ...(ssrc === undefined ? [] : [ssrc]),
    ...(rtx === undefined ? [] : [rtx.ssrc]),
  ]);
}
