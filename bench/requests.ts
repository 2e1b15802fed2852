import { pino } from 'pino';
import { createRedisRegistry } from '../adapters/registry/redis/redis.ts';
import type { StreamName } from '../core/protocol/index.ts';
import { startRole } from '../test/cluster-processes/harness/role.ts';
import { type RedisProcess, startRedis } from '../test/harness/redis.ts';
import { pause } from './measure/pause.ts';
import { cpuSeconds } from './measure/process.ts';
import { median, quantile } from './measure/statistics.ts';
import type { Bench, Report } from './report.ts';
import { Reservoir } from './requests/reservoir.ts';
import { Session } from './session.ts';

const AT_A_TIME = 64;
/** Each may send 100 requests a second. */
const CONNECTIONS = 512;
const LEAST_RATIO = 0.2;
const MAX_P99_MS = 50;

interface Span {
  readonly what: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the signaling process, for each request. */
  readonly cpuMs: number | undefined;
}

/**
 * How many requests a second one signaling process answers when it has to ask Redis for each (a play of a stream that
 * is not there: everything of a request but media), beside requests that need no Redis, and beside Redis asked directly.
 */
export const requests: Bench = async ({ short, say }) => {
  const rounds = short ? 1 : 5;
  const spanMs = short ? 2000 : 8000;
  const redis = await startRedis();
  const ports = 30_000 + (process.pid % 500) * 4;
  const signaling = await startRole('signaling', {
    MILLRACE_REDIS: `redis://${redis.address.host}:${redis.address.port}`,
    MILLRACE_CHANNEL_SECRET: 'what the processes of this measurement share',
    MILLRACE_RECORDINGS: 'off',
    MILLRACE_METRICS_LISTEN: `127.0.0.1:${ports}`,
    MILLRACE_LISTEN: `127.0.0.1:${ports + 1}`,
    MILLRACE_LOCAL_LISTEN: `127.0.0.1:${ports + 2}`,
  });
  const spans: Span[] = [];
  try {
    const sessions = await openAll(`ws://127.0.0.1:${ports + 2}`);
    const direct = directly(redis);
    const contestants: readonly (readonly [string, (index: number) => Promise<unknown>, boolean])[] = [
      ['play of an unknown stream, by Redis', (index) => missing(sessions, index), true],
      ['heartbeat, without Redis', (index) => of(sessions, index).request('stream.heartbeat', '', {}), true],
      ['Redis asked directly', direct.ask, false],
    ];
    // A Redis that is new says of nothing that it is not there.
    await pause(6000);
    for (let round = 0; round < rounds; round++) {
      for (const [what, ask, signals] of round % 2 === 0 ? contestants : contestants.toReversed()) {
        const pid = signals ? signaling.process.pid : undefined;
        spans.push(await measure(what, ask, spanMs, pid));
        say(`${what}: ${Math.round(spans.at(-1)?.perSecond ?? 0)} a second`);
      }
    }
    for (const session of sessions) session.close();
    await direct.close();
  } finally {
    await signaling.stop();
    await redis.stop();
  }
  return report(spans);
};

function of(sessions: readonly Session[], index: number): Session {
  const session = sessions[index % sessions.length];
  if (session === undefined) throw new Error(`no session ${index}`);
  return session;
}

async function openAll(url: string): Promise<readonly Session[]> {
  const sessions: Session[] = [];
  while (sessions.length < CONNECTIONS) sessions.push(await Session.open(url));
  await Promise.all(sessions.map((session) => session.request('stream.heartbeat', '', {})));
  return sessions;
}

const NOBODY = /nobody publishes/;

async function missing(sessions: readonly Session[], index: number): Promise<void> {
  const sdp = 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n';
  const asked = of(sessions, index).request('stream.play', `nobody-${index % CONNECTIONS}`, { sdp });
  await asked.then(
    () => Promise.reject(new Error('it was played')),
    (error: Error) => NOBODY.test(error.message) || Promise.reject(error),
  );
}

function directly(redis: RedisProcess) {
  const registry = createRedisRegistry({
    target: { kind: 'single', address: redis.address, db: 0 },
    prefix: 'millrace',
    log: pino({ level: 'silent' }),
  });
  return {
    ask: (index: number) => registry.findStream(`nobody-${index % CONNECTIONS}` as StreamName),
    close: () => registry.close(),
  };
}

/** Every connection asks again as soon as it is answered. */
async function measure(
  what: string,
  ask: (index: number) => Promise<unknown>,
  spanMs: number,
  pid: number | undefined,
): Promise<Span> {
  const times = new Reservoir(100_000);
  const cpuBefore = pid === undefined ? 0 : cpuSeconds(pid);
  const startMs = performance.now();
  const untilMs = startMs + spanMs;
  const asking = Array.from({ length: AT_A_TIME }, async (_, index) => {
    let turn = index;
    for (let atMs = performance.now(); atMs < untilMs; turn += AT_A_TIME) {
      await ask(turn);
      const nowMs = performance.now();
      times.add(nowMs - atMs);
      atMs = nowMs;
    }
  });
  await Promise.all(asking);
  const elapsedMs = performance.now() - startMs;
  const cpuMs = pid === undefined ? undefined : ((cpuSeconds(pid) - cpuBefore) * 1000) / times.count;
  return {
    what,
    perSecond: (times.count * 1000) / elapsedMs,
    p50Ms: quantile(times.kept, 0.5),
    p99Ms: quantile(times.kept, 0.99),
    cpuMs,
  };
}

function report(spans: readonly Span[]): Report {
  const names = [...new Set(spans.map(({ what }) => what))];
  const figures = names.map((what) => {
    const own = spans.filter((span) => span.what === what);
    const middle = (of: (span: Span) => number) => median(own.map(of));
    return {
      what,
      perSecond: middle((span) => span.perSecond),
      p50Ms: middle((span) => span.p50Ms),
      p99Ms: middle((span) => span.p99Ms),
      cpuMs: own[0]?.cpuMs === undefined ? undefined : middle((span) => span.cpuMs ?? 0),
    };
  });
  const [asked, , direct] = figures;
  const ratio = (asked?.perSecond ?? 0) / (direct?.perSecond ?? 1);
  return {
    title: `Requests that ask Redis, ${AT_A_TIME} at a time, one signaling process`,
    columns: ['request', 'a second', 'p50, ms', 'p99, ms', 'CPU of signaling each, ms'],
    rows: figures.map(({ what, perSecond, p50Ms, p99Ms, cpuMs }) => [
      what,
      String(Math.round(perSecond)),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      cpuMs?.toFixed(3) ?? '',
    ]),
    verdicts: [
      {
        what: 'requests a second, to Redis asked directly by one process',
        measured: ratio.toFixed(2),
        target: `at least ${LEAST_RATIO}`,
        met: ratio >= LEAST_RATIO,
      },
      {
        what: 'p99 of a request that asks Redis',
        measured: `${(asked?.p99Ms ?? Number.NaN).toFixed(1)} ms`,
        target: `at most ${MAX_P99_MS} ms`,
        met: (asked?.p99Ms ?? Number.POSITIVE_INFINITY) <= MAX_P99_MS,
      },
    ],
    notes: [
      'The client is one process on the same two cores as signaling and Redis.',
      'Redis asked directly: the same script by the same adapter in the client’s process, as many at a time, which it asks in batches.',
    ],
    data: spans,
  };
}
