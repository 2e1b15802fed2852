import type { PipeTransport, Producer } from 'mediasoup/types';
import type { PipeAddress, PipedTrack } from '../../core/channel/pipes.ts';
import type { OwnWorker } from './own-worker.ts';

/** Muxers ask again until they have a key frame; the publisher is asked at most this often. */
const KEY_FRAME_REQUEST_DELAY_MS = 500;
const SOCKET_BUFFER_BYTES = 4 * 1024 * 1024;

/** Where pipes come to this machine. */
export interface PipeListen {
  readonly ip: string;
  /** Absent = any. */
  readonly ports?: { readonly min: number; readonly max: number } | undefined;
}

/** This end of a pipe from a media server. */
export class OwnPipe {
  readonly #worker: OwnWorker;
  readonly #transport: PipeTransport;

  /** @throws Error as `OwnWorker.ask` */
  static async open(worker: OwnWorker, { ip, ports }: PipeListen): Promise<OwnPipe> {
    const transport = worker.router.createPipeTransport({
      listenInfo: {
        protocol: 'udp',
        ip,
        ...(ports ? { portRange: ports } : {}),
        recvBufferSize: SOCKET_BUFFER_BYTES,
      },
      enableRtx: true,
      enableSrtp: true,
    });
    return new OwnPipe(worker, await worker.ask('creating a pipe', transport));
  }

  private constructor(worker: OwnWorker, transport: PipeTransport) {
    this.#worker = worker;
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

  connect(other: PipeAddress): Promise<void> {
    return this.#worker.ask('connecting a pipe', this.#transport.connect({ ...other }));
  }

  /**
   * Takes a track that the other end sends, under an id of its own: while one pipe takes another's place, the
   * same track may be here twice. It is never paused here: what the publisher mutes does not arrive.
   */
  receive({ kind, rtpParameters }: PipedTrack): Promise<Producer> {
    return this.#worker.ask(
      'receiving a track',
      this.#transport.produce({
        kind,
        rtpParameters,
        keyFrameRequestDelay: KEY_FRAME_REQUEST_DELAY_MS,
      }),
    );
  }

  /** With all that it brings. */
  close(): void {
    this.#transport.close();
  }
}
