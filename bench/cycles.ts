import { eventually } from '../test/harness/condition.ts';
import { type ServerProcess, startServer } from '../test/harness/server.ts';
import { LoadClient } from './load-client.ts';
import { type Descriptors, descriptors, residentBytes } from './measure/process.ts';
import { trend } from './measure/statistics.ts';
import { curve } from './measure/table.ts';
import type { Population, Remains } from './probe.ts';
import { probed } from './probed.ts';
import type { Bench, Verdict } from './report.ts';

const SAMPLES = 40;
const MIB = 2 ** 20;
/** Pools of memory fill and then stay: by the middle they have, and what is still added must be no more than this share. */
const MAX_GROWTH = 0.02;

interface Sample extends Remains {
  readonly cycles: number;
  /** Cycles so far that had media flowing. */
  readonly connected: number;
  readonly serverBytes: number;
  readonly workerBytes: number;
  readonly serverDescriptors: Descriptors;
  readonly workerDescriptors: Descriptors;
  /** Records, as /api/v1 lists them. */
  readonly streams: number;
  readonly sessions: number;
  /** At the beginning and the end only: counting sweeps the process more thoroughly than anything else does. */
  readonly population?: Population;
}

/** Whether ten thousand published and closed streams leave anything, after ten thousand that warmed the server up. */
export const cycles: Bench = async ({ short, say }) => {
  const total = short ? 400 : 20_000;
  const probe = probed();
  const server = await startServer({
    ...probe.env,
    MILLRACE_WORKERS: '1',
    MILLRACE_RTC_LISTEN: '127.0.0.1',
    MILLRACE_RESUME_TIMEOUT: '1s',
  });
  const samples: Sample[] = [];
  let failed = 0;
  try {
    const client = new LoadClient('cycles', { url: server.wsUrl });
    await client.next('ready');
    for (let done = 0; done <= total; done += total / SAMPLES) {
      // None before the first sample, which shows what a server that has done nothing has.
      const connected = done === 0 ? 0 : ((await client.ask(total / SAMPLES, 'done')).connected ?? 0);
      await nothingHeld(server);
      const looked = await sample(server, done, connected, probe.remains);
      const counted = done % total === 0 ? { population: await probe.population() } : {};
      samples.push({ ...looked, ...counted });
      if (done % (total / 10) === 0) say(`${done} cycles, ${describe(samples.at(-1) as Sample)}`);
    }
    await client.end();
    failed = server.log.filter(({ level }) => level === 'error' || level === 'fatal').length;
  } finally {
    await server.stop();
  }
  return {
    title: `${total} times published and closed: what is left`,
    ...judge(samples, total, failed),
    data: samples,
  };
};

/** Sessions that ended without a word are let go of after the resume time. */
function nothingHeld(server: ServerProcess): Promise<unknown> {
  return eventually('nothing held', async () => {
    const lists = await Promise.all([count(server, 'streams'), count(server, 'sessions')]);
    return lists.every((length) => length === 0);
  });
}

async function count(server: ServerProcess, list: 'streams' | 'sessions'): Promise<number> {
  const response = await fetch(`${server.httpUrl}/api/v1/${list}`);
  const body = (await response.json()) as Readonly<Record<string, readonly unknown[]>>;
  const items = body[list];
  if (!items) throw new Error(`/api/v1/${list} answered ${JSON.stringify(body)}`);
  return items.length;
}

async function sample(
  server: ServerProcess,
  cycles: number,
  connected: number,
  remains: () => Promise<Remains>,
): Promise<Sample> {
  const left = await remains();
  const pid = server.process.pid ?? -1;
  const workerPid = server.workerPids()[0] ?? -1;
  return {
    cycles,
    connected,
    ...left,
    serverBytes: residentBytes(pid),
    workerBytes: residentBytes(workerPid),
    serverDescriptors: descriptors(pid),
    workerDescriptors: descriptors(workerPid),
    streams: await count(server, 'streams'),
    sessions: await count(server, 'sessions'),
  };
}

function describe({ serverBytes, heapBytes, workerBytes, workerDescriptors, worker }: Sample): string {
  return `server ${mib(serverBytes)} MiB, its heap ${mib(heapBytes)} MiB, worker ${mib(workerBytes)} MiB with ${workerDescriptors.udp} UDP and ${workerDescriptors.tcp} TCP sockets and ${worker.transports} transports`;
}

interface Quantity {
  readonly name: string;
  readonly of: (sample: Sample) => number;
  readonly bytes: boolean;
}

const QUANTITIES: readonly Quantity[] = [
  { name: 'server, RSS (MiB)', of: (one) => one.serverBytes, bytes: true },
  { name: 'server, heap after collection (MiB)', of: (one) => one.heapBytes, bytes: true },
  { name: 'worker, RSS (MiB)', of: (one) => one.workerBytes, bytes: true },
  { name: 'server, file descriptors', of: (one) => one.serverDescriptors.all, bytes: false },
  { name: 'worker, file descriptors', of: (one) => one.workerDescriptors.all, bytes: false },
  { name: 'worker, UDP sockets', of: (one) => one.workerDescriptors.udp, bytes: false },
  { name: 'worker, TCP sockets', of: (one) => one.workerDescriptors.tcp, bytes: false },
  {
    name: 'worker, transports, producers, consumers',
    of: ({ worker }) => mediaObjects(worker),
    bytes: false,
  },
  { name: 'worker, request handlers', of: ({ worker }) => worker.requestHandlers ?? 0, bytes: false },
  { name: 'worker, ICE user names', of: ({ worker }) => worker.iceUserNames ?? 0, bytes: false },
  { name: 'registry records (/api/v1)', of: (one) => one.streams + one.sessions, bytes: false },
];

function judge(samples: readonly Sample[], total: number, failed: number) {
  const half = samples.slice(Math.ceil(samples.length / 2));
  const rows: string[][] = [];
  const verdicts: Verdict[] = [];
  for (const { name, of, bytes } of QUANTITIES) {
    const unit = bytes ? MIB : 1;
    const values = samples.map((one) => of(one) / unit);
    const { slope, standardError } = trend(half.map((one) => ({ x: one.cycles / 1000, y: of(one) / unit })));
    const shown = (value: number) => value.toFixed(bytes ? 1 : 0);
    rows.push([
      name,
      curve(values),
      shown(values[0] ?? 0),
      shown(values[Math.floor(values.length / 2)] ?? 0),
      shown(values.at(-1) ?? 0),
      bytes
        ? `${(slope * 1024).toFixed(1)} ± ${(2 * standardError * 1024).toFixed(1)} KiB`
        : `${slope.toFixed(2)} ± ${(2 * standardError).toFixed(2)}`,
    ]);
    const middle = of(half[0] as Sample);
    const last = of(half.at(-1) as Sample);
    verdicts.push(
      bytes
        ? {
            what: `${name.replace(' (MiB)', '')}: at ${total / 2} and at ${total} cycles`,
            measured: `${(middle / unit).toFixed(1)} and ${(last / unit).toFixed(1)} MiB`,
            target: `at most ${MAX_GROWTH * 100} % more`,
            met: last <= middle * (1 + MAX_GROWTH),
          }
        : {
            what: `${name}: at ${total / 2} and at ${total} cycles`,
            measured: `${middle} and ${last}`,
            target: 'no more',
            met: last <= middle,
          },
    );
  }
  const populations = samples.flatMap(({ population }) => (population ? [population] : []));
  const [atStart = {}, atEnd = {}] = populations;
  rows.push([
    `server, objects of its own (${Object.keys(atEnd).join(', ')})`,
    '',
    String(sum(Object.values(atStart))),
    '',
    String(sum(Object.values(atEnd))),
    '',
  ]);
  verdicts.push({
    what: `server, objects of its own: at 0 and at ${total} cycles`,
    measured: `${sum(Object.values(atStart))} and ${sum(Object.values(atEnd))}`,
    target: 'no more',
    met: sum(Object.values(atEnd)) <= sum(Object.values(atStart)),
  });
  verdicts.push({
    what: 'errors in the log',
    measured: String(failed),
    target: '0',
    met: failed === 0,
  });
  const connected = samples.at(-1)?.connected ?? 0;
  return {
    columns: ['', 'curve', 'at 0', `at ${total / 2}`, `at ${total}`, 'slope of 2nd half, per 1000'],
    rows,
    verdicts,
    notes: [
      `Each cycle publishes a stream, plays it and closes it; ${connected} of them with media flowing over DTLS, every other one of those left without a word.`,
      `${samples.length} samples, each once nothing is held any more; curves go from each row’s least to its greatest value. ± is two standard errors.`,
      'No peer: the limit is that the second half adds nothing.',
    ],
  };
}

function mediaObjects(worker: Remains['worker']): number {
  return (worker.transports ?? 0) + (worker.producers ?? 0) + (worker.consumers ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
