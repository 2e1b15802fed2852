import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { UNFINISHED } from './layout.ts';
import { Pace } from './pace.ts';
import { CAME_BACK, Presence } from './presence.ts';
import { type Sleep, sleepAbout } from './sleep.ts';

const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 2000;
/** That many failures in a row, and it is asked first whether storage is there at all. */
const SUSPECT_AFTER = 3;

/** It need not be there: an answer is an answer. */
const PROBED_KEY = `${UNFINISHED}probe`;

/** Whoever wanted it has gone, or its time is over. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

export interface PatienceOptions {
  readonly objects: ObjectStore;
  readonly log: Logger;
  /** From then on nothing is tried again, and nothing new is begun. */
  readonly signal: AbortSignal;
  readonly sleep?: Sleep;
}

/**
 * Calls storage for as long as it takes: each call with a deadline that grows with its bytes and its failures,
 * with a pause between calls that grows with failures. While storage is away only one small call asks for it.
 */
export class Patience {
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #sleep: Sleep;
  readonly #presence: Presence;
  readonly #pace = new Pace();
  readonly #calls = new Set<Promise<void>>();
  #failuresInARow = 0;
  #away = false;
  /** Failed calls so far. */
  failures = 0;
  /** What storage said last, while it is away. */
  lastFailure: string | undefined;

  constructor({ objects, log, signal, sleep = sleepAbout }: PatienceOptions) {
    this.#log = log;
    this.#signal = signal;
    this.#sleep = sleep;
    const probe = (timeoutMs: number) => objects.head(PROBED_KEY, { timeoutMs });
    this.#presence = new Presence({ probe, sleep, signal, onAway: (error) => this.#isAway('probe', error) });
  }

  /**
   * The result of `call`, once it succeeds. It may be made again while an earlier one is under way still.
   *
   * @throws Stopped when the signal came first; whatever `call` throws that is not `storage_unavailable`
   */
  async until<T>(what: string, bytes: number, call: (timeoutMs: number) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; ) {
      await this.#presence.there();
      this.#mustGoOn();
      try {
        const result = await this.#timed(bytes, attempt, call);
        this.#mustGoOn();
        if (result === CAME_BACK) continue;
        this.#succeeded();
        return result;
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        this.#failed(what, error);
      }
      attempt++;
      await this.rest(Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failuresInARow));
    }
  }

  async #timed<T>(
    bytes: number,
    attempt: number,
    call: (timeoutMs: number) => Promise<T>,
  ): Promise<T | typeof CAME_BACK> {
    const beganMs = performance.now();
    const timeoutMs = this.#pace.timeoutFor(bytes, attempt);
    try {
      const result = await this.#presence.watched(this.tracked(call(timeoutMs)));
      if (result !== CAME_BACK) this.#pace.took(bytes, performance.now() - beganMs);
      return result;
    } catch (error) {
      this.#pace.failed(bytes, performance.now() - beganMs);
      throw error;
    }
  }

  /** Makes a call count in `idle`, which nobody may be waiting for any more. */
  tracked<T>(call: Promise<T>): Promise<T> {
    const settled: Promise<void> = call.then(
      () => {},
      () => {},
    );
    const counted = settled.finally(() => this.#calls.delete(counted));
    this.#calls.add(counted);
    return call;
  }

  /** Once no call is under way any more that began before. */
  async idle(): Promise<void> {
    await Promise.all(this.#calls);
  }

  /** @throws Stopped when the signal came first */
  async unlessStopped<T>(work: Promise<T>): Promise<T> {
    this.#mustGoOn();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const stop = () => reject(new Stopped('stopped'));
    this.#signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject);
    try {
      return await promise;
    } finally {
      this.#signal.removeEventListener('abort', stop);
    }
  }

  /** @throws Stopped when the signal came first */
  async rest(ms: number): Promise<void> {
    await this.#sleep(ms, this.#signal);
    this.#mustGoOn();
  }

  #mustGoOn(): void {
    if (this.#signal.aborted) throw new Stopped('stopped');
  }

  #succeeded(): void {
    if (this.#away) this.#log.info('storage is back');
    this.#away = false;
    this.#failuresInARow = 0;
    this.lastFailure = undefined;
  }

  #failed(what: string, error: MillraceError): void {
    this.failures++;
    this.#failuresInARow++;
    this.lastFailure = error.message;
    if (this.#failuresInARow < SUSPECT_AFTER) return;
    this.#isAway(what, error);
    this.#presence.suspect();
  }

  #isAway(what: string, error: unknown): void {
    if (this.#away) return;
    this.#away = true;
    if (error instanceof Error) this.lastFailure = error.message;
    this.#log.warn({ err: error, what }, 'storage is away');
  }
}

function isUnavailable(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.errorName === 'storage_unavailable';
}
