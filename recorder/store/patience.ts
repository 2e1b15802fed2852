import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';

const LEAST_MS = 3000;
const LEAST_BYTES_PER_MS = 16;
const MAX_TIMEOUT_MS = 600_000;
const FIRST_BACK_OFF_MS = 50;
const MAX_BACK_OFF_MS = 2000;
/** That many failures in a row, and only one call at a time tries whether storage is back. */
const AWAY_AFTER = 3;

/** Whoever wanted it has gone, or its time is over. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

export interface PatienceOptions {
  readonly log: Logger;
  /** From then on nothing is tried again, and nothing new is begun. */
  readonly signal: AbortSignal;
  /** Resolves after the time, or when the signal comes. */
  readonly sleep?: Sleep;
}

/**
 * Calls storage for as long as it takes: each call with a deadline that grows with its bytes and its
 * failures, with a pause between calls that grows while storage is away, and one call at a time then.
 */
export class Patience {
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #sleep: Sleep;
  #failuresInARow = 0;
  #probe: Promise<unknown> | undefined;
  /** Failed calls so far. */
  failures = 0;
  /** What storage said last, while it is away. */
  lastFailure: string | undefined;

  constructor({ log, signal, sleep }: PatienceOptions) {
    this.#log = log;
    this.#signal = signal;
    this.#sleep = sleep ?? sleepAbout;
  }

  /**
   * The result of `call`, once it succeeds.
   *
   * @throws Stopped when the signal came first; whatever `call` throws that is not `storage_unavailable`
   */
  async until<T>(what: string, bytes: number, call: (timeoutMs: number) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      if (attempt > 0) await this.#pause();
      const endTurn = await this.#turn();
      try {
        this.#mustGoOn();
        const result = await call(timeoutFor(bytes, attempt));
        this.#succeeded();
        return result;
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        this.#failed(what, error);
      } finally {
        endTurn();
      }
    }
  }

  /** @throws Stopped when the signal came first */
  async rest(ms: number): Promise<void> {
    await this.#sleep(ms, this.#signal);
    this.#mustGoOn();
  }

  async #turn(): Promise<() => void> {
    while (this.#failuresInARow >= AWAY_AFTER && this.#probe) await this.#probe;
    if (this.#failuresInARow < AWAY_AFTER) return () => {};
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#probe = promise;
    return () => {
      this.#probe = undefined;
      resolve();
    };
  }

  async #pause(): Promise<void> {
    const ms = Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** this.#failuresInARow);
    await this.#sleep(ms, this.#signal);
  }

  #mustGoOn(): void {
    if (this.#signal.aborted) throw new Stopped('stopped');
  }

  #succeeded(): void {
    if (this.#failuresInARow >= AWAY_AFTER) this.#log.info('storage is back');
    this.#failuresInARow = 0;
    this.lastFailure = undefined;
  }

  #failed(what: string, error: MillraceError): void {
    this.failures++;
    this.#failuresInARow++;
    this.lastFailure = error.message;
    if (this.#failuresInARow === AWAY_AFTER) this.#log.warn({ err: error, what }, 'storage is away');
  }
}

/** Between half and all of it, so that many recorders do not call at once. */
async function sleepAbout(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
}

export function timeoutFor(bytes: number, attempt: number): number {
  const ms = (LEAST_MS + bytes / LEAST_BYTES_PER_MS) * 2 ** Math.min(attempt, 5);
  return Math.round(Math.min(ms, MAX_TIMEOUT_MS));
}

function isUnavailable(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.errorName === 'storage_unavailable';
}
