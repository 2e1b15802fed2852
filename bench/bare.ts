import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** A server that only does what it is measured for, in a process of its own. */
export interface Bare {
  readonly process: ChildProcess;
  /** ws:// and wss:// on 127.0.0.1. */
  readonly port: number;
  readonly securePort: number;
  /** 0 without one. */
  readonly workerPid: number;
  stop(): void;
}

/** @param script beside this file */
export async function startBare(
  script: 'bare-server.ts' | 'bare-sockets.ts',
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Bare> {
  const child = fork(new URL(script, import.meta.url), args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${script} ended with ${code}`))),
  ]);
  return {
    process: child,
    port: message.port,
    securePort: message.securePort,
    workerPid: message.workerPid ?? 0,
    stop: () => child.disconnect(),
  };
}

/** Path of the worker that a bare server runs. @throws Error when setup has not said where it is */
export function workerBinary(kind: 'patched' | 'stock'): string {
  const name = kind === 'patched' ? 'MILLRACE_WORKER_BIN' : 'BENCH_STOCK_WORKER';
  const path = process.env[name];
  if (!path) throw new Error(`${name} is not set; npm run bench sets it`);
  return path;
}
