import { type ChildProcess, spawn } from 'node:child_process';
import type { Logger } from 'pino';
import { HUNG_MS } from '../supervisor-message.ts';

/** What a process gets for its first word: a busy machine starts processes slowly. */
const FIRST_WORD_MS = 15_000;
/** A part that lived that long did not die of its start. */
const SETTLED_MS = 5000;
/** Before the next start, by how many in a row died of theirs. */
const BACK_OFF_MS = [0, 250, 500, 1000, 2000] as const;

export interface PartOptions<Order, Notice> {
  /** For the log. */
  readonly name: string;
  /** Program and arguments. */
  readonly command: readonly [string, ...string[]];
  /** The first order of each process; what it is now, not what it was. */
  readonly firstOrder: () => Order;
  readonly onNotice: (notice: Notice) => void;
  /** A process ended that was not told to; the next one is started by itself. */
  readonly onDied: () => void;
  readonly log: Logger;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

interface Running {
  readonly process: ChildProcess;
  readonly startedAtMs: number;
  heardAtMs: number | undefined;
}

/**
 * A part of the recorder in a process of its own, that is kept running: one that ends or says nothing any
 * more has a successor at once. It lives by the IPC channel to it, which closes whatever ends this process.
 */
export class Part<Order extends object, Notice> {
  readonly #options: PartOptions<Order, Notice>;
  #running: Running | undefined;
  /** When the next process is to be started; undefined while one runs or none is wanted. */
  #startAtMs: number | undefined;
  #failures = 0;

  constructor(options: PartOptions<Order, Notice>) {
    this.#options = options;
  }

  start(): void {
    if (this.#running !== undefined) return;
    this.#startAtMs = undefined;
    const { command, firstOrder, name, log, now } = this.#options;
    const [program, ...args] = command;
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const running: Running = { process: child, startedAtMs: now(), heardAtMs: undefined };
    this.#running = running;
    log.debug({ part: name, pid: child.pid }, 'part of the recorder started');
    child.on('message', (notice) => {
      if (this.#running !== running) return;
      running.heardAtMs = now();
      // The other end is the same program, of the same version.
      this.#options.onNotice(notice as Notice);
    });
    // Either may come alone: the first where there is no such program, the second otherwise.
    child.on('error', (error) => this.#ended(running, { err: error }));
    child.on('exit', (code, signal) => this.#ended(running, { code, signal }));
    this.send(firstOrder());
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  send(order: Order): void {
    // One whose channel is closed is ending; its successor gets what counts then.
    this.#running?.process.send(order, () => {});
  }

  /** Ends it at once and for good. */
  stop(): void {
    this.#startAtMs = undefined;
    this.#running?.process.kill('SIGKILL');
    this.#running = undefined;
  }

  /** Ends it at once; the next one is started after `delayMs`. */
  restart(delayMs: number): void {
    this.stop();
    this.#startAtMs = this.#options.now() + delayMs;
  }

  /** Starts what is due, and kills what hangs. To be called several times a second. */
  tick(): void {
    const nowMs = this.#options.now();
    if (this.#startAtMs !== undefined && nowMs >= this.#startAtMs) this.start();
    const running = this.#running;
    if (running === undefined || nowMs < hangsAtMs(running)) return;
    this.#options.log.warn({ part: this.#options.name, pid: running.process.pid }, 'part hangs; killed');
    running.process.kill('SIGKILL');
    this.#ended(running, { signal: 'SIGKILL' });
  }

  /** Time during which this process itself did not run says nothing of its parts. */
  forgive(ms: number): void {
    const running = this.#running;
    if (running?.heardAtMs === undefined) return;
    // One that was heard since has not been silent.
    running.heardAtMs = Math.min(this.#options.now(), running.heardAtMs + ms);
  }

  #ended(running: Running, how: object): void {
    if (this.#running !== running) return;
    this.#running = undefined;
    const { now, name, log, onDied } = this.#options;
    this.#failures = now() - running.startedAtMs < SETTLED_MS ? this.#failures + 1 : 0;
    const delayMs = BACK_OFF_MS[Math.min(Math.max(0, this.#failures - 1), BACK_OFF_MS.length - 1)] ?? 0;
    log.warn({ part: name, pid: running.process.pid, ...how, againInMs: delayMs }, 'part died');
    this.#startAtMs = now() + delayMs;
    onDied();
    // A listener may have stopped it, or started it.
    if (delayMs === 0 && this.#startAtMs !== undefined) this.start();
  }
}

function hangsAtMs({ startedAtMs, heardAtMs }: Running): number {
  return heardAtMs === undefined ? startedAtMs + FIRST_WORD_MS : heardAtMs + HUNG_MS;
}
