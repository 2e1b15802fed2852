import type { Logger } from 'pino';
import { MillraceError } from '../../../core/protocol/error.ts';
import type { Trouble } from './trouble.ts';

/** So long after the last answer a call waits for the connection to come back, instead of failing at once. */
const PATIENCE_MS = 400;
/** The same for the first connection, which has no answer before it. */
const FIRST_PATIENCE_MS = 800;

/**
 * Whether Redis answers. While it does not, calls fail at once instead of waiting one by one. Says so in the log
 * when that changes, not for each call.
 */
export class Reach {
  readonly #log: Logger;
  readonly #waiting = new Set<() => void>();
  #away: (Trouble & { readonly sinceMs: number }) | undefined;
  #refusal: string | undefined;
  #told: string | undefined;

  constructor(log: Logger) {
    this.#log = log;
    const sinceMs = performance.now() + FIRST_PATIENCE_MS - PATIENCE_MS;
    this.#away = { kind: 'away', text: 'was not reached yet', sinceMs };
  }

  get isUp(): boolean {
    return this.#away === undefined;
  }

  /**
   * Returns when Redis answers.
   * @throws MillraceError `registry_unavailable` when it does not, in 800 ms at most
   */
  async demand(): Promise<void> {
    const away = this.#away;
    if (away === undefined) return;
    const patienceMs = away.sinceMs + PATIENCE_MS - performance.now();
    if (patienceMs > 0) {
      await this.#change(patienceMs);
      if (this.#away === undefined) return;
    }
    const text = this.#refusal ?? (this.#away ?? away).text;
    throw unavailable({ kind: 'away', text });
  }

  /** It answered. @param wrote whether it took a write */
  answered(wrote: boolean): void {
    this.#isThere();
    if (wrote) this.#refusal = undefined;
    if (this.#told !== undefined && this.#refusal === undefined) {
      this.#told = undefined;
      this.#log.info('Redis is back');
    }
  }

  failed(trouble: Trouble): void {
    if (trouble.kind === 'away') this.#away ??= { ...trouble, sinceMs: performance.now() };
    else this.#refusal = trouble.text;
    if (trouble.kind === 'read-only') this.#isThere();
    // Of one absence the first sign is told; what follows says no more, in other words.
    if (this.#told === trouble.text || (this.#told !== undefined && trouble.kind === 'away')) return;
    this.#told = trouble.text;
    this.#log.error(`Redis ${trouble.text}`);
  }

  #isThere(): void {
    this.#away = undefined;
    for (const wake of this.#waiting) wake();
  }

  async #change(timeoutMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    this.#waiting.add(resolve);
    await promise;
    clearTimeout(timer);
    this.#waiting.delete(resolve);
  }
}

export function unavailable({ text }: Trouble, cause?: unknown): MillraceError {
  return new MillraceError('registry_unavailable', `the registry's Redis ${text}; try again`, { cause });
}
