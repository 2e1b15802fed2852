import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { eventually } from './condition.ts';

/** A Millrace server run as a user runs it, in a process of its own. */
export interface ServerProcess {
  readonly process: ChildProcess;
  /** The ready record of its log. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** `http://localhost:PORT` */
  readonly httpUrl: string;
  /** `ws://localhost:PORT` */
  readonly wsUrl: string;
  readonly metricsUrl: string;
  /** First media port. */
  readonly rtcPort: number;
  /** Every log record so far. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Process ids of its mediasoup workers. */
  workerPids(): number[];
  /** The sum of a metric's samples whose line has all of `labels`. */
  metric(name: string, ...labels: string[]): Promise<number>;
  /** Ends it with SIGTERM. @returns its exit code */
  stop(): Promise<number | null>;
}

const CLI = new URL('../../cli/main.ts', import.meta.url).pathname;
// Below the range from which Linux takes ports for outgoing connections.
let nextPort = 2000 + (process.pid % 500) * 20;

/** Of all servers: one listener for each would be more than Node takes for a leak. */
const folders = new Set<string>();
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Starts a server on ports of its own; `settings` are MILLRACE_* variables that override the test's. */
export async function startServer(settings: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const [http, https, metrics, rtcPort] = [nextPort, nextPort + 1, nextPort + 2, nextPort + 3];
  nextPort += 12;
  const recordings = mkdtempSync(join(tmpdir(), 'millrace-recordings-'));
  const child = spawn(process.execPath, [CLI], {
    // It ends when the IPC channel does, so it never outlives its test.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      MILLRACE_LISTEN: `127.0.0.1:${https}`,
      MILLRACE_LOCAL_LISTEN: `127.0.0.1:${http}`,
      MILLRACE_METRICS_LISTEN: `127.0.0.1:${metrics}`,
      MILLRACE_RTC_PORT: String(rtcPort),
      MILLRACE_LOG_FORMAT: 'json',
      MILLRACE_RECORDINGS: recordings,
      ...settings,
    },
  });
  folders.add(recordings);
  const log: Record<string, unknown>[] = [];
  const raw: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      raw.push(line);
      if (line.startsWith('{')) log.push(JSON.parse(line));
    });
  }
  const ready = await eventually(
    'the ready record',
    () => {
      if (child.exitCode !== null)
        throw new Error(`the server ended with ${child.exitCode}:\n${raw.join('\n')}`);
      return log.find((record) => record.msg === 'ready');
    },
    { timeoutMs: 30_000, everyMs: 20 },
  );

  const metricsUrl = `http://127.0.0.1:${metrics}/metrics`;
  return {
    process: child,
    ready,
    httpUrl: `http://localhost:${http}`,
    wsUrl: `ws://localhost:${http}`,
    metricsUrl,
    rtcPort,
    log,
    workerPids: () =>
      childrenOf(child.pid ?? -1).filter((pid) => commandOf(pid).includes('mediasoup-worker')),
    async metric(name, ...labels) {
      const text = await (await fetch(metricsUrl)).text();
      return text
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        .filter((line) => labels.every((label) => line.includes(label)))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM');
        await eventually('the server to end', () => child.exitCode !== null || child.signalCode !== null, {
          timeoutMs: 10_000,
          everyMs: 20,
        });
      }
      return child.exitCode;
    },
  };
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((candidate) => parentOf(candidate) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command, in parentheses, may hold spaces: the fields begin behind it.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // It ended meanwhile.
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // It ended meanwhile.
  }
}
