import type { Sleep } from './sleep.ts';

/** Nothing has been answered for that long: it is asked whether anything is. */
const SILENT_MS = 3000;
const PROBE_TIMEOUT_MS = 4000;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2000;

export interface PresenceOptions {
  /** A small call that changes nothing. @throws when storage does not answer */
  readonly probe: (timeoutMs: number) => Promise<unknown>;
  readonly sleep: Sleep;
  readonly signal: AbortSignal;
  readonly onAway: (error: unknown) => void;
}

/** Storage was away meanwhile: whatever was under way is not worth waiting for. */
export const CAME_BACK = Symbol('came back');

/**
 * Whether storage answers at all. When calls fail or nothing is answered, a small probe is sent until it
 * succeeds; meanwhile nothing else needs to be, and what hangs since before is told then.
 */
export class Presence {
  readonly #options: PresenceOptions;
  /** Of calls under way. (A promise that all raced with would keep a trace of every call ever made.) */
  readonly #interrupts = new Set<() => void>();
  #probing: Promise<void> | undefined;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
    options.signal.addEventListener('abort', () => this.#stop(), { once: true });
  }

  #stop(): void {
    clearTimeout(this.#watchdog);
    this.#interrupt();
  }

  #interrupt(): void {
    for (const interrupt of this.#interrupts) interrupt();
  }

  /** Once there is a chance that a call succeeds, or all is over. */
  async there(): Promise<void> {
    while (this.#probing && !this.#options.signal.aborted) await this.watched(this.#probing);
  }

  /**
   * What the call gives; `CAME_BACK` when storage was away after it began and is not any more, or when all is
   * over.
   */
  async watched<T>(call: Promise<T>): Promise<T | typeof CAME_BACK> {
    if (this.#options.signal.aborted) {
      call.catch(() => {});
      return CAME_BACK;
    }
    const { promise, resolve, reject } = Promise.withResolvers<T | typeof CAME_BACK>();
    const interrupt = () => resolve(CAME_BACK);
    call.then(resolve, reject);
    this.#interrupts.add(interrupt);
    this.#watchdog ??= this.#watch();
    try {
      return await promise;
    } finally {
      this.#interrupts.delete(interrupt);
      this.#heard();
    }
  }

  /** Something is wrong: calls wait until a probe has succeeded. */
  suspect(): void {
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
      this.#heard();
    });
  }

  #heard(): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = this.#interrupts.size > 0 ? this.#watch() : undefined;
  }

  #watch(): NodeJS.Timeout | undefined {
    if (this.#options.signal.aborted) return undefined;
    return setTimeout(() => this.suspect(), SILENT_MS);
  }

  async #probe(): Promise<void> {
    const { probe, sleep, signal, onAway } = this.#options;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await probe(PROBE_TIMEOUT_MS);
        // One that failed says little: a busy way there loses single calls.
        if (failures > 1) this.#interrupt();
        return;
      } catch (error) {
        if (failures === 1) onAway(error);
        await sleep(Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures), signal);
      }
    }
  }
}
