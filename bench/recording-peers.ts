import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Producer, RtpParameters } from 'mediasoup/types';
import { connectWebSocket } from '../adapters/channel/websocket/client.ts';
import { signChannelToken } from '../adapters/channel/websocket/token.ts';
import type { PipeCalls, PipeChannel, PipeNotice } from '../core/channel/pipes.ts';
import { parseStreamName } from '../core/protocol/stream-name.ts';
import { OwnPipe } from '../recorder/receiver/own-pipe.ts';
import { OwnWorker } from '../recorder/receiver/own-worker.ts';
import { workerBinary } from './bare.ts';

const CALL = { timeoutMs: 5000 };
const LOOPBACK = '127.0.0.1';
/** What a WebRTC jitter buffer of a recorder holds back, as Millrace's does. */
const REORDER_MS = 500;
const END_TIMEOUT_MS = 20_000;
let nextPort = 38_000;

/** The address of a media server's internal channel, and what lets us in. */
export interface PipeAccess {
  readonly address: string;
  readonly secret: string;
}

/** A recorder of another kind, in a process of its own. */
export interface Peer {
  readonly name: string;
  readonly pid: number;
  readonly file: string;
  /** Completes its file, and ends it. */
  stop(): Promise<void>;
}

/** Where a peer receives one track: RTP at the port, RTCP at the next (RFC 3550 section 11). */
interface Inlet {
  readonly kind: 'audio' | 'video';
  readonly port: number;
  readonly rtpParameters: RtpParameters;
}

/**
 * Takes a stream from a media server by the same pipe that a recorder takes it by, and sends it on as plain
 * RTP to peers on loopback, one copy each.
 */
export class PeerFeed {
  readonly #channel: PipeChannel;
  readonly #worker: OwnWorker;
  readonly #producers: readonly Producer[];

  static async open({ address, secret }: PipeAccess, stream: string): Promise<PeerFeed> {
    const secrets = () => [Buffer.from(secret)] as const;
    const channel = connectWebSocket<PipeCalls, PipeNotice>(address, 'pipes', {
      token: (service) => signChannelToken(secrets, { services: [service], ttlMs: 60_000 }, Date.now()),
      maxCallsInFlight: 10,
    });
    const name = parseStreamName(stream);
    const own = await OwnWorker.start(workerBinary('patched'));
    const pipe = await OwnPipe.open(own, { ip: LOOPBACK });
    const { worker } = await channel.call('locate', { stream: name }, CALL);
    const { end } = await channel.call('open', { pipe: 'bench', worker, end: pipe.address }, CALL);
    await pipe.connect(end);
    const { tracks } = await channel.call('pull', { pipe: 'bench', pull: 'bench', stream: name }, CALL);
    return new PeerFeed(channel, own, await Promise.all(tracks.map((track) => pipe.receive(track))));
  }

  private constructor(channel: PipeChannel, worker: OwnWorker, producers: readonly Producer[]) {
    this.#channel = channel;
    this.#worker = worker;
    this.#producers = producers;
  }

  /** `ffmpeg -c copy` into a WebM file. */
  async ffmpeg(file: string): Promise<Peer> {
    const inlets = await this.#inlets();
    writeFileSync(`${file}.sdp`, sdpOf(inlets));
    return start('ffmpeg', file, [
      ...['-v', 'error', '-nostdin', '-y', '-protocol_whitelist', 'file,udp,rtp'],
      ...['-max_delay', String(REORDER_MS * 1000), '-i', `${file}.sdp`, '-map', '0', '-c', 'copy', file],
    ]);
  }

  /** GStreamer's webmmux, with the fewest elements that can feed it from a network. */
  async gstreamer(file: string): Promise<Peer> {
    const inlets = await this.#inlets();
    return start('gst-launch-1.0', file, [
      ...['-q', '-e', 'webmmux', 'name=mux', '!', 'filesink', `location=${file}`],
      ...inlets.flatMap(({ kind, port, rtpParameters: { codecs } }) => [
        ...['udpsrc', `address=${LOOPBACK}`, `port=${port}`],
        `caps=application/x-rtp,media=${kind},clock-rate=${codecs[0]?.clockRate},encoding-name=${kind === 'audio' ? 'OPUS' : 'VP8'},payload=${codecs[0]?.payloadType}`,
        ...['!', 'rtpjitterbuffer', `latency=${REORDER_MS}`],
        // webmmux takes no sound without its rate, which only the parser tells.
        ...(kind === 'audio' ? ['!', 'rtpopusdepay', '!', 'opusparse'] : ['!', 'rtpvp8depay']),
        ...['!', 'mux.'],
      ]),
    ]);
  }

  async close(): Promise<void> {
    this.#channel.close();
    await this.#worker.close();
  }

  #inlets(): Promise<readonly Inlet[]> {
    return Promise.all(this.#producers.map((producer) => this.#inlet(producer)));
  }

  async #inlet(producer: Producer): Promise<Inlet> {
    const port = nextPort;
    nextPort += 2;
    const { router } = this.#worker;
    const transport = await router.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: LOOPBACK },
      rtcpMux: false,
      comedia: false,
    });
    await transport.connect({ ip: LOOPBACK, port, rtcpPort: port + 1 });
    const { rtpParameters } = await transport.consume({
      producerId: producer.id,
      rtpCapabilities: { ...router.rtpCapabilities, headerExtensions: [] },
      enableRtx: false,
    });
    return { kind: producer.kind, port, rtpParameters };
  }
}

/** RFC 8866. */
function sdpOf(inlets: readonly Inlet[]): string {
  const lines = ['v=0', `o=- 0 0 IN IP4 ${LOOPBACK}`, 's=-', `c=IN IP4 ${LOOPBACK}`, 't=0 0'];
  for (const { kind, port, rtpParameters } of inlets) {
    const [codec] = rtpParameters.codecs;
    const format = `${codec?.mimeType.split('/')[1]}/${codec?.clockRate}${kind === 'audio' ? '/2' : ''}`;
    lines.push(`m=${kind} ${port} RTP/AVP ${codec?.payloadType}`, `a=rtpmap:${codec?.payloadType} ${format}`);
  }
  return `${lines.join('\r\n')}\r\n`;
}

function start(program: string, file: string, args: readonly string[]): Peer {
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    name: program,
    pid: child.pid ?? -1,
    file,
    async stop() {
      if (child.exitCode !== null) throw new Error(`${program} ended by itself with ${child.exitCode}`);
      const ended = once(child, 'exit', { signal: AbortSignal.timeout(END_TIMEOUT_MS) });
      child.kill('SIGINT');
      await ended;
    },
  };
}
