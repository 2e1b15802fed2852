import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Consumer, PlainTransport, Producer } from 'mediasoup/types';
import { withDeadline } from './deadline.ts';
import type { OwnWorker } from './own-worker.ts';

/** The kernel may grant less (net.core.rmem_max). Takes a stall of seconds at some Mbit/s. */
const RECEIVE_BUFFER_BYTES = 8 * 1024 * 1024;
const OPEN_TIMEOUT_MS = 2000;
const SSRC_ATTEMPTS = 8;
const LOOPBACK = '127.0.0.1';
const SENDER_REPORT = 200;

export interface TapOutput {
  /** A packet of the track that this SSRC belongs to. */
  readonly onRtp: (ssrc: number, packet: Uint8Array) => void;
  /** A compound packet that has sender reports. */
  readonly onSenderReports: (packet: Uint8Array) => void;
}

/**
 * Takes packets out of the own worker, as they came, every encoding of a track: the worker sends them to a
 * socket of this process on loopback. (mediasoup's DirectTransport would spare the socket, and gives no
 * sender reports.)
 */
export class Tap {
  readonly #worker: OwnWorker;
  readonly #transport: PlainTransport;
  readonly #socket: Socket;
  /** All that are sent to the socket: it tells tracks apart by nothing else. */
  readonly #ssrcs = new Set<number>();

  /** @throws Error when there is no socket, and as `OwnWorker.ask` */
  static async open(worker: OwnWorker, output: TapOutput): Promise<Tap> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES });
    try {
      socket.bind(0, LOOPBACK);
      await withDeadline('opening a socket', OPEN_TIMEOUT_MS, once(socket, 'listening'));
      const transport = await worker.ask(
        'creating a transport',
        worker.router.createPlainTransport({
          listenInfo: { protocol: 'udp', ip: LOOPBACK, sendBufferSize: RECEIVE_BUFFER_BYTES },
          rtcpMux: true,
          comedia: false,
        }),
      );
      const tap = new Tap(worker, transport, socket, output);
      await worker.ask(
        'connecting a transport',
        transport.connect({ ip: LOOPBACK, port: socket.address().port }),
      );
      return tap;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  private constructor(worker: OwnWorker, transport: PlainTransport, socket: Socket, output: TapOutput) {
    this.#worker = worker;
    this.#transport = transport;
    this.#socket = socket;
    const { localPort } = transport.tuple;
    socket.on('message', (packet, sender) => {
      if (isFrom(sender, localPort)) deliver(packet, output);
    });
    // A datagram socket's errors are about single packets.
    socket.on('error', () => {});
  }

  /** What the kernel granted. */
  get receiveBufferBytes(): number {
    // Linux doubles what is asked for, for its own bookkeeping.
    return this.#socket.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1);
  }

  /**
   * Takes a track. Nothing of it comes before the consumer is resumed.
   *
   * mediasoup draws SSRCs at random, and one that is taken would mix two tracks: it is drawn again.
   */
  async add(producer: Producer): Promise<{ readonly consumer: Consumer; readonly ssrcs: readonly number[] }> {
    for (let attempt = 1; attempt <= SSRC_ATTEMPTS; attempt++) {
      const consumer = await this.#worker.ask(
        'taking a track',
        this.#transport.consume({
          producerId: producer.id,
          rtpCapabilities: { ...this.#worker.router.rtpCapabilities, headerExtensions: [] },
          pipe: true,
          paused: true,
          enableRtx: false,
        }),
      );
      const ssrcs = (consumer.rtpParameters.encodings ?? []).flatMap(({ ssrc }) => ssrc ?? []);
      if (ssrcs.every((ssrc) => !this.#ssrcs.has(ssrc))) {
        for (const ssrc of ssrcs) this.#ssrcs.add(ssrc);
        consumer.observer.once('close', () => {
          for (const ssrc of ssrcs) this.#ssrcs.delete(ssrc);
        });
        return { consumer, ssrcs };
      }
      consumer.close();
    }
    throw new Error(`no free SSRC in ${SSRC_ATTEMPTS} attempts`);
  }

  close(): void {
    this.#transport.close();
    this.#socket.close();
  }
}

/** Any process of this machine could send to the socket. */
function isFrom({ address, port }: RemoteInfo, workerPort: number): boolean {
  return port === workerPort && address === LOOPBACK;
}

function deliver(packet: Buffer, { onRtp, onSenderReports }: TapOutput): void {
  if (packet.length < 12) return;
  // RFC 5761 section 4: where they share a port, RTCP's packet types are those from 192 to 223.
  const type = packet.readUInt8(1);
  if (type < 192 || type > 223) onRtp(packet.readUInt32BE(8), packet);
  else if (hasSenderReport(packet)) onSenderReports(packet);
}

/** RFC 3550 section 6.1: packets of a compound follow each other, each with its length in words less one. */
function hasSenderReport(compound: Buffer): boolean {
  for (let at = 0; at + 4 <= compound.length; at += (compound.readUInt16BE(at + 2) + 1) * 4) {
    if (compound[at + 1] === SENDER_REPORT) return true;
  }
  return false;
}
