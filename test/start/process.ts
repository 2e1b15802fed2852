import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const ROOT = dirname(dirname(import.meta.dirname));
const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

export interface LogRecord {
  readonly msg?: string;
  readonly workerPid?: number;
  readonly pages?: readonly string[];
  readonly ports?: Readonly<Record<string, number>>;
  readonly ms?: number;
}

/** A process that serves, started as a person starts it, on any free ports. */
export class Started {
  readonly child: ChildProcess;
  #stdout = '';
  #stderr = '';
  #exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined;

  constructor(command: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
    this.child = spawn(command, args, {
      cwd: ROOT,
      // A group of its own, as a shell gives to what is typed: Ctrl-C goes to a group.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.#stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text) => {
      this.#stderr += text;
    });
    this.child.on('exit', (code, signal) => {
      this.#exit = { code, signal };
    });
  }

  get output(): string {
    return this.#stdout + this.#stderr;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  get records(): readonly LogRecord[] {
    return this.#stdout
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  }

  get workerPids(): readonly number[] {
    return this.records.flatMap(({ workerPid }) => workerPid ?? []);
  }

  ready(): Promise<LogRecord> {
    return until('the ready record', READY_TIMEOUT_MS, () => {
      if (this.#exit) throw new Error(`it ended with ${JSON.stringify(this.#exit)}:\n${this.output}`);
      return this.records.find(({ msg }) => msg === 'ready');
    });
  }

  /** @returns how it ended, and how long that took from now on */
  async ended(
    timeoutMs = 10_000,
  ): Promise<{ code: number | null; signal: NodeJS.Signals | null; ms: number }> {
    const startedMs = performance.now();
    const exit = await until('the process to end', timeoutMs, () => this.#exit);
    return { ...exit, ms: performance.now() - startedMs };
  }

  /** For after a test: whatever it left running. */
  destroy(): void {
    for (const pid of this.workerPids) killIfThere(pid);
    if (this.child.pid !== undefined) killIfThere(-this.child.pid);
  }
}

/** A folder for certificates and the like, so that tests leave the user's alone. */
export function stateFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'millrace-start-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Settings with which several servers can run side by side. */
export function freePorts(statePath: string): Record<string, string> {
  return {
    XDG_STATE_HOME: statePath,
    MILLRACE_RECORDINGS: join(statePath, 'recordings'),
    MILLRACE_LISTEN: '127.0.0.1:0',
    MILLRACE_LOCAL_LISTEN: '127.0.0.1:0',
    MILLRACE_METRICS_LISTEN: '127.0.0.1:0',
    MILLRACE_RTC_PORT: '0',
    MILLRACE_WORKERS: '2',
  };
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export async function until<T>(
  what: string,
  timeoutMs: number,
  poll: () => T | undefined | false,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const found = poll();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadlineMs) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}
