import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createWorker } from 'mediasoup';
import type { PipeTransport, PlainTransport, Producer, Router, Worker } from 'mediasoup/types';
import { workerBinary } from './bare.ts';
import { pause } from './measure/pause.ts';
import { cpuSeconds } from './measure/process.ts';
import { median, quantile } from './measure/statistics.ts';
import type { Bench, Report } from './report.ts';

const STREAMS = 20;
const PACKETS_PER_SECOND = 100;
/** With 100 a second 1 Mbit/s. */
const PAYLOAD_BYTES = 1200;
const TICK_MS = 2;
const IP = '127.0.0.1';
const MAX_ADDED_P99_MS = 2;
const HEADER_BYTES = 12;
const CODEC = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 } as const;
const PAYLOAD_TYPE = 100;

type Way = 'one router' | 'pipe' | 'pipe, SRTP';

interface Span {
  readonly way: Way;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the workers on the way, for each second of a stream. */
  readonly cpuMs: number;
  readonly delivered: number;
}

/**
 * What a pipe between two routers adds to a packet's way, and what it costs: RTP from this process by one router
 * straight back, and by a pipe to a second worker's router and from there. One clock stamps both ends.
 */
export const pipes: Bench = async ({ short, say }) => {
  const rounds = short ? 1 : 5;
  const spanMs = short ? 2000 : 8000;
  const workerBin = workerBinary('patched');
  const workers = [await createWorker({ workerBin }), await createWorker({ workerBin })] as const;
  const spans: Span[] = [];
  try {
    const ways: readonly Way[] = ['one router', 'pipe', 'pipe, SRTP'];
    for (let round = 0; round < rounds; round++) {
      for (const way of round % 2 === 0 ? ways : ways.toReversed()) {
        spans.push(await measure(way, workers, spanMs));
        const last = spans.at(-1);
        say(`${way}: p50 ${last?.p50Ms.toFixed(2)}, p99 ${last?.p99Ms.toFixed(2)} ms`);
      }
    }
  } finally {
    for (const worker of workers) worker.close();
  }
  return report(spans);
};

async function measure(way: Way, [first, second]: readonly [Worker, Worker], spanMs: number): Promise<Span> {
  const origin = await first.createRouter({ mediaCodecs: [CODEC] });
  const edge = await second.createRouter({ mediaCodecs: [CODEC] });
  const sender = await udp();
  const receiver = await udp();
  try {
    const entry = await origin.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: IP },
      comedia: true,
    });
    const producers: Producer[] = [];
    for (let index = 0; index < STREAMS; index++) producers.push(await entry.produce(streamOf(index)));
    const last =
      way === 'one router' ? { router: origin, producers } : await pipe(origin, edge, producers, way);
    await leave(last.router, last.producers, receiver);
    const pids = way === 'one router' ? [first.pid] : [first.pid, second.pid];
    return { way, ...(await run(sender, receiver, entry, pids, spanMs)) };
  } finally {
    origin.close();
    edge.close();
    sender.close();
    receiver.close();
  }
}

async function pipe(origin: Router, edge: Router, producers: readonly Producer[], way: Way) {
  const make = (router: Router) =>
    router.createPipeTransport({
      listenInfo: { protocol: 'udp', ip: IP },
      enableRtx: true,
      enableSrtp: way === 'pipe, SRTP',
    });
  const [near, far] = [await make(origin), await make(edge)];
  await near.connect(endOf(far));
  await far.connect(endOf(near));
  const piped: Producer[] = [];
  for (const { id: producerId, kind } of producers) {
    const { rtpParameters } = await near.consume({ producerId });
    piped.push(await far.produce({ kind, rtpParameters }));
  }
  return { router: edge, producers: piped };
}

function endOf({ tuple, srtpParameters }: PipeTransport) {
  return { ip: tuple.localAddress, port: tuple.localPort, ...(srtpParameters && { srtpParameters }) };
}

async function leave(router: Router, producers: readonly Producer[], receiver: Socket): Promise<void> {
  const exit = await router.createPlainTransport({ listenInfo: { protocol: 'udp', ip: IP }, rtcpMux: true });
  await exit.connect({ ip: IP, port: receiver.address().port });
  for (const { id: producerId } of producers) {
    await exit.consume({ producerId, rtpCapabilities: router.rtpCapabilities });
  }
}

function streamOf(index: number) {
  return {
    kind: CODEC.kind,
    rtpParameters: {
      codecs: [{ ...CODEC, payloadType: PAYLOAD_TYPE }],
      encodings: [{ ssrc: 1000 + index }],
      rtcp: { cname: `stream-${index}` },
    },
  };
}

/** Packets are sent evenly, each with the moment of its sending as its payload. */
async function run(
  sender: Socket,
  receiver: Socket,
  entry: PlainTransport,
  pids: readonly number[],
  spanMs: number,
): Promise<Omit<Span, 'way'>> {
  const times: number[] = [];
  let sent = 0;
  let sentBefore = 0;
  let counting = false;
  receiver.on('message', (packet) => {
    // RFC 5761 section 4: RTCP's packet types.
    const type = packet[1] ?? 0;
    if (!counting || (type >= 192 && type <= 223)) return;
    times.push(performance.now() - packet.readDoubleBE(packet.length - PAYLOAD_BYTES));
  });
  const startMs = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) / 1000) * STREAMS * PACKETS_PER_SECOND);
    for (; sent < due; sent++) sender.send(packetOf(sent), entry.tuple.localPort, IP);
  }, TICK_MS);
  // Until the transports know their peers and everything has its pace.
  await pause(1000);
  const cpu = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0);
  const cpuBefore = cpu();
  sentBefore = sent;
  counting = true;
  await pause(spanMs);
  clearInterval(timer);
  const sentThen = sent - sentBefore;
  const cpuMs = ((cpu() - cpuBefore) * 1000) / (spanMs / 1000) / STREAMS;
  await pause(100);
  return {
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    cpuMs,
    delivered: times.length / sentThen,
  };
}

/** RFC 3550 section 5.1. */
function packetOf(number: number): Buffer {
  const packet = Buffer.alloc(HEADER_BYTES + PAYLOAD_BYTES);
  const sequence = Math.floor(number / STREAMS);
  packet[0] = 0x80;
  packet[1] = PAYLOAD_TYPE;
  packet.writeUInt16BE(sequence & 0xffff, 2);
  packet.writeUInt32BE((sequence * (CODEC.clockRate / PACKETS_PER_SECOND)) >>> 0, 4);
  packet.writeUInt32BE(1000 + (number % STREAMS), 8);
  packet.writeDoubleBE(performance.now(), HEADER_BYTES);
  return packet;
}

async function udp(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 2 ** 20 });
  socket.bind(0, IP);
  await once(socket, 'listening');
  return socket;
}

function report(spans: readonly Span[]): Report {
  const ways = [...new Set(spans.map(({ way }) => way))];
  const figures = ways.map((way) => {
    const own = spans.filter((span) => span.way === way);
    const middle = (of: (span: Span) => number) => median(own.map(of));
    return {
      way,
      p50Ms: middle((span) => span.p50Ms),
      p99Ms: middle((span) => span.p99Ms),
      cpuMs: middle((span) => span.cpuMs),
      delivered: middle((span) => span.delivered),
    };
  });
  const [straight, , encrypted] = figures;
  const added = (encrypted?.p99Ms ?? Number.NaN) - (straight?.p99Ms ?? Number.NaN);
  return {
    title: `A pipe: ${STREAMS} streams of 1 Mbit/s, as RTP of 1200 bytes`,
    columns: ['way', 'p50, ms', 'p99, ms', 'workers’ CPU, ms a second of a stream', 'delivered'],
    rows: figures.map(({ way, p50Ms, p99Ms, cpuMs, delivered }) => [
      way,
      p50Ms.toFixed(2),
      p99Ms.toFixed(2),
      cpuMs.toFixed(2),
      `${(delivered * 100).toFixed(2)} %`,
    ]),
    verdicts: [
      {
        what: 'what a pipe with SRTP adds to the p99',
        measured: `${added.toFixed(2)} ms`,
        target: `at most ${MAX_ADDED_P99_MS} ms`,
        met: added <= MAX_ADDED_P99_MS,
      },
    ],
    notes: [
      'From `send` to `message` in one process; what Node itself takes for both is in all of them alike.',
      'CPU of a pipe counts both workers; both ways in and out of them are plain RTP.',
    ],
    data: spans,
  };
}
