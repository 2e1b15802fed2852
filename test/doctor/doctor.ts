import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Finding } from '../../cli/doctor/finding.ts';
import type { Verdict } from '../../cli/doctor/report.ts';
import { freePorts, ROOT } from '../start/process.ts';

const TIMEOUT_MS = 60_000;

export interface Said {
  readonly exitCode: number | null;
  readonly version: string;
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  /** The findings of one check. */
  of(check: string): readonly Finding[];
}

export interface Asked {
  readonly settings?: Readonly<Record<string, string>>;
  /** Shell commands that bring about a fault, run before in the same process. */
  readonly first?: string;
  /** A program with its arguments that runs the shell. */
  readonly within?: readonly string[];
}

/** What `millrace doctor --json` says, run as a process of its own. */
export async function doctor(statePath: string, asked: Asked = {}): Promise<Said> {
  const { stdout, stderr, exitCode } = await runDoctor(statePath, ['--json'], asked);
  try {
    const report: Omit<Said, 'exitCode' | 'of'> = JSON.parse(stdout);
    return { ...report, exitCode, of: (name) => report.findings.filter(({ check }) => check === name) };
  } catch {
    throw new Error(`no report, but exit code ${exitCode} and:\n${stdout}${stderr}`);
  }
}

export async function runDoctor(
  statePath: string,
  args: readonly string[],
  { settings = {}, first = ':', within = [] }: Asked = {},
): Promise<{ stdout: string; stderr: string; exitCode: number | null }> {
  const node = [process.execPath, `${ROOT}/cli/main.ts`, 'doctor', ...args];
  const [program = '', ...rest] = [...within, 'sh', '-c', `${first}; exec "$@"`, 'sh', ...node];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: TIMEOUT_MS,
    env: { ...process.env, ...freePorts(statePath), ...settings },
  });
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('close', resolve).on('error', reject);
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { stdout, stderr, exitCode: await closed };
}

/** A listener that is in the way, and its port. */
export async function busyPort(): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('it has no port');
  return { server, port: bound.port };
}

/** A TCP port that nobody listens at. */
export async function freePort(): Promise<number> {
  const { server, port } = await busyPort();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
