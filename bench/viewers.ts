import { eventually } from '../test/harness/condition.ts';
import { startServer } from '../test/harness/server.ts';
import { startBare, workerBinary } from './bare.ts';
import { LoadClient } from './load-client.ts';
import { pause } from './measure/pause.ts';
import { cpuSeconds } from './measure/process.ts';
import { median, spread } from './measure/statistics.ts';
import type { Bench, Verdict } from './report.ts';

/** Until the estimates of the bandwidth have risen above the bitrate and probing has ended. */
const SETTLE_MS = 5000;
const LEAST_RATIO = 0.97;
/** Of what is sent, at least this share must arrive: else the machine was overloaded, and the round does not count. */
const LEAST_DELIVERED = 0.99;

interface Load {
  readonly viewers: number;
  readonly mbps: number;
  /** Simulcast: only then has the server something to choose, and probes whether the better encoding fits. */
  readonly layers: boolean;
}

interface Contestant {
  readonly name: string;
  readonly url: string;
  readonly numbers: 'same' | 'other';
  readonly serverPid: number;
  readonly workerPid: () => number;
  /** Resolves when nothing of the last run is left. */
  readonly settled: () => Promise<unknown>;
}

interface Round {
  readonly contestant: string;
  readonly load: Load;
  /** CPU time for each second of one viewer. */
  readonly workerMs: number;
  readonly serverMs: number;
  readonly clientMs: number;
  readonly delivered: number;
  readonly extraShare: number;
  /** Share of one core that the worker used. */
  readonly workerLoad: number;
}

/** What one viewer of a stream costs the worker, beside a worker as it comes, fed by the same client. */
export const viewers: Bench = async ({ short, say }) => {
  const loads: readonly Load[] = short
    ? [{ viewers: 50, mbps: 1, layers: false }]
    : [
        { viewers: 50, mbps: 1, layers: false },
        { viewers: 200, mbps: 1, layers: false },
        { viewers: 200, mbps: 1, layers: true },
        // On two cores the client has just room beside this, if nothing else runs; so half of it, too.
        { viewers: 500, mbps: 0.5, layers: false },
        { viewers: 500, mbps: 1, layers: false },
      ];
  const rounds = short ? 2 : 5;
  const spanMs = short ? 3000 : 10_000;

  const server = await startServer({
    MILLRACE_WORKERS: '1',
    MILLRACE_RTC_LISTEN: '127.0.0.1',
    MILLRACE_RESUME_TIMEOUT: '1s',
  });
  const bare = await startBare('bare-server.ts', [workerBinary('stock'), 'plain']);
  const millrace = {
    url: server.wsUrl,
    serverPid: server.process.pid ?? -1,
    workerPid: () => server.workerPids()[0] ?? -1,
    settled: () =>
      eventually('an empty server', async () => {
        const left = await Promise.all([
          server.metric('millrace_viewers'),
          server.metric('millrace_streams'),
        ]);
        return left.every((count) => count === 0);
      }),
  };
  const contestants: readonly Contestant[] = [
    {
      name: 'bare mediasoup',
      url: `ws://127.0.0.1:${bare.port}`,
      numbers: 'same',
      serverPid: bare.process.pid ?? -1,
      workerPid: () => bare.workerPid,
      settled: () => pause(1000),
    },
    { name: 'Millrace', numbers: 'same', ...millrace },
    { name: 'Millrace, other numbers', numbers: 'other', ...millrace },
  ];

  const all: Round[] = [];
  try {
    for (const load of loads) {
      for (let round = 0; round < rounds; round++) {
        // Each second round the other way round: what drifts with time falls on all alike.
        const order = round % 2 === 0 ? contestants : contestants.toReversed();
        for (const contestant of order) {
          const result = await measure(contestant, load, spanMs).catch((error: Error) => error);
          if (result instanceof Error) {
            // Joining may fail where the machine is overloaded; then this is no figure either.
            say(`${named(load)}, round ${round + 1} of ${rounds}, ${contestant.name}: ${result.message}`);
            continue;
          }
          all.push(result);
          say(
            `${named(load)}, round ${round + 1} of ${rounds}, ${contestant.name}: worker ${result.workerMs.toFixed(3)} ms/s each, ` +
              `${(result.workerLoad * 100).toFixed(0)} % of a core, ${(result.delivered * 100).toFixed(2)} % delivered`,
          );
        }
      }
    }
  } finally {
    bare.stop();
    await server.stop();
  }
  return {
    title: 'CPU time of the worker for each viewer of one stream',
    ...judge(loads, contestants, all, rounds),
    data: all,
  };
};

async function measure(contestant: Contestant, load: Load, spanMs: number): Promise<Round> {
  const count = load.viewers;
  const client = new LoadClient('viewers', {
    url: contestant.url,
    viewers: count,
    bitrate: load.mbps * 1e6,
    ...(load.layers ? { layers: true } : {}),
    numbers: contestant.numbers,
  });
  try {
    await client.next('joined');
    await pause(SETTLE_MS);
    const workerPid = contestant.workerPid();
    const look = async () => {
      const mark = await client.ask('mark', 'mark');
      return {
        mark,
        atMs: performance.now(),
        worker: cpuSeconds(workerPid),
        server: cpuSeconds(contestant.serverPid),
      };
    };
    const before = await look();
    await pause(spanMs);
    const after = await look();
    const seconds = (after.atMs - before.atMs) / 1000;
    const grown = (field: string) => (after.mark[field] ?? 0) - (before.mark[field] ?? 0);
    const each = (cpu: number) => (cpu * 1000) / seconds / count;
    return {
      contestant: contestant.name,
      load,
      workerMs: each(after.worker - before.worker),
      serverMs: each(after.server - before.server),
      clientMs: each(grown('cpu_seconds')),
      delivered: grown('received') / (grown('sent') * count),
      extraShare: grown('extra') / grown('received'),
      workerLoad: (after.worker - before.worker) / seconds,
    };
  } finally {
    await client.end();
    await contestant.settled();
  }
}

function named({ viewers, mbps, layers }: Load): string {
  return `${viewers} viewers, ${mbps} Mbit/s${layers ? ' simulcast' : ''}`;
}

function judge(
  loads: readonly Load[],
  contestants: readonly Contestant[],
  all: readonly Round[],
  tried: number,
) {
  const rows: string[][] = [];
  const verdicts: Verdict[] = [];
  for (const load of loads) {
    const of = (name: string) =>
      all.filter((one) => one.contestant === name && one.load === load && one.delivered >= LEAST_DELIVERED);
    const bare = median(of('bare mediasoup').map(({ workerMs }) => workerMs));
    for (const { name } of contestants) {
      const rounds = of(name);
      const mine = rounds.map(({ workerMs }) => workerMs);
      const ratio = bare / median(mine);
      rows.push([
        `${named(load)}: ${name}`,
        ...(rounds.length === 0
          ? ['', '', '', '', '', '', '']
          : [
              median(mine).toFixed(3),
              `±${(spread(mine) * 100).toFixed(1)} %`,
              (1000 / median(mine)).toFixed(0),
              Number.isNaN(ratio) ? '' : ratio.toFixed(3),
              `${(median(rounds.map((one) => one.workerLoad)) * 100).toFixed(0)} %`,
              median(rounds.map(({ serverMs }) => serverMs)).toFixed(3),
              median(rounds.map(({ clientMs }) => clientMs)).toFixed(3),
            ]),
        `${rounds.length} of ${tried}`,
      ]);
      if (name === 'bare mediasoup') continue;
      verdicts.push({
        what: `${named(load)}, ${name}: viewers a core, of bare mediasoup’s`,
        measured: Number.isNaN(ratio) ? 'overloaded' : ratio.toFixed(3),
        target: `at least ${LEAST_RATIO}`,
        met: ratio >= LEAST_RATIO,
      });
    }
  }
  return {
    columns: [
      'ms of CPU a second a viewer',
      'worker',
      'spread',
      'viewers a core',
      'ratio',
      'worker load',
      'Node process',
      'client',
      'rounds',
    ],
    rows,
    verdicts,
    notes: [
      `Rounds in which less than ${LEAST_DELIVERED * 100} % of the packets arrived were overloaded, and are left out.`,
      'Ratio: viewers a core, of those of bare mediasoup in the same rounds (medians). More is better.',
      'Bare mediasoup is a stock worker and plain consume() for viewers whose payload types and extension ids are its own. ' +
        '“Other numbers” are viewers that only the patched worker can serve. Transport-wide congestion control, NACK and RTX are on for all.',
      'Simulcast has a second encoding of a sixth of the bitrate; all viewers get the better one. The stock worker probes the bandwidth for every stream, the patched one only where a better encoding could be chosen.',
      'The Node process and the client are outside the ratio: milliseconds of CPU a second a viewer.',
    ],
  };
}
