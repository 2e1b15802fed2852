import { startServer } from '../test/harness/server.ts';
import { startBare } from './bare.ts';
import { LoadClient } from './load-client.ts';
import { pause } from './measure/pause.ts';
import { cpuSeconds, residentBytes } from './measure/process.ts';
import { probed } from './probed.ts';
import type { Bench } from './report.ts';
import { secureUrl } from './secure-url.ts';

const MAX_SESSION_KIB = 20;
/** A client address has 28,000 ports; ten of them leave room for those that a round before has just used. */
const SOURCES = Array.from({ length: 10 }, (_, i) => `127.0.0.${10 + i}`).join(',');
const WARM_UP = 200;
const SETTLE_MS = 4000;
/** After some seconds without much to do, V8 gives back what it needed for opening: that is what idle means. */
const IDLE_MS = 20_000;

interface Contestant {
  readonly name: string;
  readonly secure: boolean;
  readonly start: () => Promise<Running>;
}

interface Running {
  readonly pid: number;
  readonly url: string;
  /** After a forced collection of garbage. */
  readonly heapBytes: () => Promise<number>;
  readonly stop: () => Promise<unknown> | unknown;
}

interface Figures {
  readonly name: string;
  readonly secure: boolean;
  /** Growth for each connection, KiB: of resident memory as it is; after a collection; and of the heap alone. */
  readonly residentKib: number;
  readonly collectedKib: number;
  readonly heapKib: number;
  readonly openedPerSecond: number;
  readonly messagesPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU of the server for each message. */
  readonly messageMicros: number;
}

/** What an idle session costs in memory, and how many messages a second go, beside WebSockets with nothing behind them. */
export const sessions: Bench = async ({ short, say }) => {
  const connections = short ? 1000 : 10_000;
  const spanS = short ? 2 : 10;
  const all: Figures[] = [];
  for (const contestant of contestants()) {
    const figures = await measure(contestant, connections, spanS);
    all.push(figures);
    say(
      `${contestant.name}: ${figures.residentKib.toFixed(1)} KiB each, ${figures.messagesPerSecond.toFixed(0)} messages/s`,
    );
  }
  const [bareTls, millraceTls, bare, millrace] = all as [Figures, Figures, Figures, Figures];
  return {
    title: `${connections} idle sessions, and heartbeats as fast as they are answered`,
    columns: [
      'KiB of memory each',
      'RSS',
      'RSS, collected',
      'heap',
      'opened/s',
      'messages/s',
      'p50 ms',
      'p99 ms',
      'CPU µs a message',
    ],
    rows: all.map((one) => [
      one.name,
      one.residentKib.toFixed(1),
      one.collectedKib.toFixed(1),
      one.heapKib.toFixed(1),
      one.openedPerSecond.toFixed(0),
      one.messagesPerSecond.toFixed(0),
      one.p50Ms.toFixed(2),
      one.p99Ms.toFixed(2),
      one.messageMicros.toFixed(0),
    ]),
    verdicts: [
      {
        what: `memory of an idle wss session, TLS included (bare ws over TLS: ${bareTls.residentKib.toFixed(1)} KiB, ratio ${(millraceTls.residentKib / bareTls.residentKib).toFixed(2)})`,
        measured: `${millraceTls.residentKib.toFixed(1)} KiB`,
        target: `under ${MAX_SESSION_KIB} KiB`,
        met: millraceTls.residentKib < MAX_SESSION_KIB,
      },
      {
        what: `memory of an idle session without TLS (bare ws: ${bare.residentKib.toFixed(1)} KiB, ratio ${(millrace.residentKib / bare.residentKib).toFixed(2)})`,
        measured: `${millrace.residentKib.toFixed(1)} KiB`,
        target: `under ${MAX_SESSION_KIB} KiB`,
        met: millrace.residentKib < MAX_SESSION_KIB,
      },
    ],
    notes: [
      'Growth of the Node process for each connection that has sent one heartbeat: RSS as it is 20 s later, RSS after a forced collection of garbage, and what the heap then holds.',
      'Bare ws has the same library and options, answers each message at once, and keeps nothing.',
      `Messages: 64 sessions, each sending its next heartbeat when the last is answered, while the others idle; wss ratio to bare ${(millraceTls.messagesPerSecond / bareTls.messagesPerSecond).toFixed(2)}, ws ${(millrace.messagesPerSecond / bare.messagesPerSecond).toFixed(2)}. The client runs on the same machine.`,
    ],
    data: all,
  };
};

function contestants(): Contestant[] {
  const bare = async (secure: boolean): Promise<Running> => {
    const probe = probed();
    const running = await startBare('bare-sockets.ts', [], probe.env);
    return {
      pid: running.process.pid ?? -1,
      url: secure ? `wss://127.0.0.1:${running.securePort}/` : `ws://127.0.0.1:${running.port}/`,
      heapBytes: async () => (await probe.remains()).heapBytes,
      stop: running.stop,
    };
  };
  const millrace = async (secure: boolean): Promise<Running> => {
    const probe = probed();
    const running = await startServer({
      ...probe.env,
      MILLRACE_WORKERS: '1',
      // Idle means idle: without this the client would have to send heartbeats while memory is looked at.
      MILLRACE_HEARTBEAT_TIMEOUT: '1h',
      MILLRACE_RESUME_TIMEOUT: '1s',
      // Few sessions stand for many in the measurement of messages: more than one may send by default.
      MILLRACE_MAX_REQUEST_RATE: '100000',
    });
    return {
      pid: running.process.pid ?? -1,
      url: secure ? secureUrl(running) : running.wsUrl,
      heapBytes: async () => (await probe.remains()).heapBytes,
      stop: running.stop,
    };
  };
  return [
    { name: 'bare ws, TLS', secure: true, start: () => bare(true) },
    { name: 'Millrace, TLS', secure: true, start: () => millrace(true) },
    { name: 'bare ws', secure: false, start: () => bare(false) },
    { name: 'Millrace', secure: false, start: () => millrace(false) },
  ];
}

async function measure(contestant: Contestant, connections: number, spanS: number): Promise<Figures> {
  const server = await contestant.start();
  try {
    // What a process needs once, whoever connects, is no session's.
    const warmUp = new LoadClient('sessions', { url: server.url, connections: WARM_UP, sources: SOURCES });
    await warmUp.next('open');
    await warmUp.end();
    await pause(SETTLE_MS);
    const heapBefore = await server.heapBytes();
    const residentBefore = residentBytes(server.pid);

    const client = new LoadClient('sessions', {
      url: server.url,
      connections,
      sources: SOURCES,
      span: `${spanS}s`,
    });
    const open = await client.next('open');
    await pause(IDLE_MS);
    const resident = residentBytes(server.pid);
    const heap = await server.heapBytes();
    const collected = residentBytes(server.pid);
    const cpuBefore = cpuSeconds(server.pid);
    const rate = await client.ask('rate', 'rate');
    const cpu = cpuSeconds(server.pid) - cpuBefore;
    await client.end();
    const each = (bytes: number) => bytes / 1024 / connections;
    const messagesPerSecond = rate.per_second ?? 0;
    return {
      name: contestant.name,
      secure: contestant.secure,
      residentKib: each(resident - residentBefore),
      collectedKib: each(collected - residentBefore),
      heapKib: each(heap - heapBefore),
      openedPerSecond: connections / (open.seconds ?? 0),
      messagesPerSecond,
      p50Ms: rate.p50_ms ?? 0,
      p99Ms: rate.p99_ms ?? 0,
      messageMicros: (cpu * 1e6) / (messagesPerSecond * spanS),
    };
  } finally {
    await server.stop();
  }
}
