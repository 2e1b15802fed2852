import { type Context, defineCheck } from './check.ts';
import { type Judgement, ok, warning, wrong } from './finding.ts';

const MIB = 1024 ** 2;
/** Measured: the server process 130 MB and a worker 14 MB, both without clients. */
const SERVER_BYTES = 160 * MIB;
const WORKER_BYTES = 24 * MIB;
/** For clients: their sockets, sessions and transports. */
const CLIENTS_FACTOR = 2;

export interface MemoryFacts {
  /** What this process could still take, a container's limit considered. */
  readonly availableBytes: number;
  readonly workers: number;
}

export const memory = defineCheck(
  'memory',
  ({ settings }: Context): MemoryFacts => ({
    availableBytes: process.availableMemory(),
    workers: settings.workers,
  }),
  judgeMemory,
);

export function judgeMemory({ availableBytes, workers }: MemoryFacts): Judgement {
  const idle = SERVER_BYTES + workers * WORKER_BYTES;
  const seen = `${mib(availableBytes)} MiB free; a start with ${workers} workers takes ${mib(idle)} MiB`;
  const fix = `Give it more, or start fewer workers: MILLRACE_WORKERS=${Math.max(1, Math.floor(workers / 2))}`;
  if (availableBytes < idle) return wrong(seen, fix);
  return availableBytes < idle * CLIENTS_FACTOR ? warning(`${seen}, and clients come on top`, fix) : ok(seen);
}

function mib(bytes: number): number {
  return Math.round(bytes / MIB);
}
