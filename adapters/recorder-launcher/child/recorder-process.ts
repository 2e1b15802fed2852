import { type ChildProcess, spawn } from 'node:child_process';
import {
  ATTEMPT_VARIABLE,
  type RecorderAttempt,
  type RecorderNotice,
  type RecorderOrders,
  type RecorderReport,
  TOKEN_VARIABLE,
} from '../../../core/channel/recorder.ts';
import type { Peer } from '../../../core/channel/service.ts';
import type { RecorderFacts } from '../../../core/recording/decide.ts';

/** For an attempt that is nobody's any more. */
export const SUPERSEDED: RecorderOrders = {
  todo: 'superseded',
  source: null,
  waitForPredecessor: false,
  handOver: false,
};

export interface RecorderProgram {
  /** Program and arguments of `millrace recorder`. */
  readonly command: readonly [string, ...string[]];
  /** What else its processes are told: the settings. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface RecorderProcessOptions {
  readonly program: RecorderProgram;
  readonly attempt: RecorderAttempt;
  readonly token: string;
  readonly nowMs: number;
  /** Called once. A program that cannot be started has neither code nor signal. */
  readonly onExit: (code: number | null, signal: string | null) => void;
}

/** The process of one attempt, and what was said between it and its home. */
export class RecorderProcess {
  readonly attempt: number;
  readonly startedAtMs: number;
  heardAtMs: number | undefined;
  handOverSinceMs: number | undefined;
  report: RecorderReport | undefined;
  orders: RecorderOrders;
  /** Its connection; undefined before its first report, and when it is lost. */
  peer: Peer<RecorderNotice> | undefined;
  readonly exited: Promise<void>;
  readonly #process: ChildProcess;

  constructor({ program, attempt, token, nowMs, onExit }: RecorderProcessOptions) {
    this.attempt = attempt.attempt;
    this.startedAtMs = nowMs;
    this.orders = attempt.orders;
    const [file, ...args] = program.command;
    this.#process = spawn(file, args, {
      // A group of its own: it is killed as a whole, and a terminal's Ctrl-C is not meant for it.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...program.environment, [ATTEMPT_VARIABLE]: JSON.stringify(attempt), [TOKEN_VARIABLE]: token },
    });
    this.exited = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => {
        onExit(code, signal);
        resolve();
      });
      this.#process.on('error', () => {
        // One that was not started does not exit either.
        if (this.#process.pid !== undefined) return;
        onExit(null, null);
        resolve();
      });
    });
  }

  get facts(): RecorderFacts {
    const { attempt, startedAtMs, heardAtMs, handOverSinceMs, report } = this;
    return {
      attempt,
      startedAtMs,
      ...(heardAtMs !== undefined && { heardAtMs }),
      ...(handOverSinceMs !== undefined && { handOverSinceMs }),
      state: report?.progress.state ?? 'starting',
      leaving: report?.leaving ?? false,
      receiving: report?.receiving ?? false,
    };
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Told at once if it can be; else with the reply to its next report. */
  order(orders: RecorderOrders, nowMs: number): void {
    if (sameOrders(orders, this.orders)) return;
    this.orders = orders;
    if (orders.handOver) this.handOverSinceMs ??= nowMs;
    const { recording } = this.report ?? {};
    if (recording !== undefined) this.peer?.notify({ type: 'orders', recording, orders });
  }

  /** With its children; a stopped one (SIGSTOP) dies as well. */
  kill(): void {
    const { pid } = this.#process;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** What it takes for the end of its home: it makes everything durable and goes. */
  disconnect(): void {
    if (this.#process.connected) this.#process.disconnect();
  }
}

function sameOrders(a: RecorderOrders, b: RecorderOrders): boolean {
  return (
    a.todo === b.todo &&
    a.waitForPredecessor === b.waitForPredecessor &&
    a.handOver === b.handOver &&
    a.source?.address === b.source?.address &&
    a.source?.epoch === b.source?.epoch
  );
}
