import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { eventually } from '../../harness/condition.ts';

export interface LogRecord {
  readonly msg: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

/** One process of a cluster, run as a user runs it. */
export interface Role {
  readonly process: ChildProcess;
  /** The ready record of its log. */
  readonly ready: LogRecord;
  readonly log: readonly LogRecord[];
  /** The sum of a metric's samples whose line has all of `labels`. */
  metric(name: string, ...labels: string[]): Promise<number>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
  /** Ends it with SIGTERM. @returns its exit code */
  stop(): Promise<number | null>;
}

const CLI = new URL('../../../cli/main.ts', import.meta.url).pathname;

/** @param settings MILLRACE_* variables; `MILLRACE_METRICS_LISTEN` has to name a port */
export async function startRole(command: string, settings: Readonly<Record<string, string>>): Promise<Role> {
  const child = spawn(process.execPath, [CLI, command], {
    // It ends when the IPC channel does, so it never outlives its test.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, MILLRACE_LOG_FORMAT: 'json', ...settings },
  });
  const log: LogRecord[] = [];
  const raw: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      raw.push(line);
      if (line.startsWith('{')) log.push(JSON.parse(line));
    });
  }
  const over = () => child.exitCode !== null || child.signalCode !== null;
  const ready = await eventually(
    `${command} to be ready`,
    () => {
      if (over()) throw new Error(`${command} ended:\n${raw.join('\n')}`);
      return log.find((record) => record.msg === 'ready');
    },
    { timeoutMs: 30_000, everyMs: 20 },
  );
  const end = async (signal: NodeJS.Signals) => {
    if (over()) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  return {
    process: child,
    ready,
    log,
    async metric(name, ...labels) {
      const text = await (await fetch(`http://${settings.MILLRACE_METRICS_LISTEN}/metrics`)).text();
      return text
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        .filter((line) => labels.every((label) => line.includes(label)))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
    },
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM');
      return child.exitCode;
    },
  };
}
