import type { Logger } from 'pino';
import type { NodeRecord } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';

const RENEWAL_MS = 1000;

export interface NodeLeaseOptions {
  readonly registry: Registry;
  readonly describe: () => NodeRecord;
  /** Done after each renewal, while the registry is known to answer. */
  readonly afterRenewal: () => Promise<void>;
  /** This incarnation was fenced, and never returns. Called once. */
  readonly onFenced: () => void;
  readonly log: Logger;
}

/**
 * Announces this node and renews its lease. A registry out of reach changes nothing here: media goes on, and
 * the lease is renewed when it is back.
 */
export class NodeLease {
  readonly #options: NodeLeaseOptions;
  #next: NodeJS.Timeout | undefined;
  #reachable = true;
  #stopped = false;
  #renewal: Promise<void> | undefined;

  constructor(options: NodeLeaseOptions) {
    this.#options = options;
  }

  /** Returns after the first attempt, whether or not the registry answered. */
  async start(): Promise<void> {
    await this.#renew();
  }

  /** Announces the node as it is now, without waiting for the next renewal to be due; resolves when that is tried. */
  async renewNow(): Promise<void> {
    // What is under way may have been said before.
    await this.#renewal;
    if (!this.#stopped) await this.#renew();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#next);
  }

  #renew(): Promise<void> {
    clearTimeout(this.#next);
    this.#renewal = this.#tryToRenew().finally(() => {
      this.#renewal = undefined;
    });
    return this.#renewal;
  }

  async #tryToRenew(): Promise<void> {
    const { registry, describe, afterRenewal, onFenced } = this.#options;
    const startedMs = performance.now();
    try {
      if (!(await registry.announceNode(describe()))) {
        if (!this.#stopped) onFenced();
        return;
      }
      this.#report(true);
      if (!this.#stopped) await afterRenewal();
    } catch (error) {
      this.#report(false, error);
    }
    if (this.#stopped) return;
    const elapsedMs = performance.now() - startedMs;
    this.#next = setTimeout(() => void this.#renew(), Math.max(0, RENEWAL_MS - elapsedMs));
  }

  #report(reachable: boolean, error?: unknown): void {
    if (reachable === this.#reachable) return;
    this.#reachable = reachable;
    const { log } = this.#options;
    if (reachable) log.info('registry is back');
    else log.error({ err: error }, 'registry out of reach; media goes on');
  }
}
