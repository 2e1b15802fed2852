import type { Logger } from 'pino';
import { hasEnded } from '../../../core/recording/progress.ts';
import type { RecordingId, RecordingRecord } from '../../../core/recording/recording.ts';
import type { RecordingStorage, UnfinishedRecording } from '../../../core/recording/storage.ts';
import { type Registry, SWEEP_LEASE_MS } from '../../../core/registry/registry.ts';
import { Rounds } from '../rounds.ts';

export interface AdoptionOptions {
  readonly registry: Registry;
  readonly storage: RecordingStorage;
  readonly host: string;
  /** Which store that is; absent = nobody else shares the registry. */
  readonly store?: () => Promise<string>;
  readonly has: (id: RecordingId) => boolean;
  /** @param stored the highest attempt that storage tells of */
  readonly adopt: (record: RecordingRecord, stored: number) => void;
  /** How many more this host may have. */
  readonly room: () => number;
  readonly log: Logger;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

const SWEEP_EVERY_MS = 60_000;
const SWEEP_TIMEOUT_MS = 30_000;
/** Well within the lease of whoever sweeps. */
const LEASE_EVERY_MS = SWEEP_LEASE_MS / 5;
/** Of one sweep, by the order of their ids. */
const MAX_FOUND = 1000;

/**
 * Looks in storage for recordings that nobody looks after, at the start and then every minute. Of several
 * processes that share a registry one does so.
 */
export class Adoption {
  readonly #options: AdoptionOptions;
  readonly #rounds: Rounds;
  #sweepAtMs = Number.NEGATIVE_INFINITY;
  #sweeping = false;

  constructor(options: AdoptionOptions) {
    this.#options = options;
    this.#rounds = new Rounds(() => this.#round(), LEASE_EVERY_MS);
  }

  open(): void {
    this.#rounds.open();
  }

  close(): void {
    this.#rounds.close();
  }

  async #round(): Promise<void> {
    const { registry, host, now, log } = this.#options;
    try {
      const granted = await registry.leaseSweep(host);
      if (granted && now() >= this.#sweepAtMs && !this.#sweeping) void this.#sweep();
    } catch (error) {
      log.debug({ err: error }, 'the registry does not say who looks for unfinished recordings');
    }
  }

  async #sweep(): Promise<void> {
    const { storage, now, log } = this.#options;
    this.#sweeping = true;
    try {
      const found = await storage.unfinished({ limit: MAX_FOUND, timeoutMs: SWEEP_TIMEOUT_MS });
      for (const unfinished of found) {
        // What there is no room for now a later sweep finds.
        if (this.#rounds.closed || this.#options.room() <= 0) return;
        if (!this.#options.has(unfinished.spec.id)) await this.#look(unfinished);
      }
    } catch (error) {
      log.warn({ err: error }, 'unfinished recordings cannot be looked for now');
    } finally {
      this.#sweeping = false;
      this.#sweepAtMs = now() + SWEEP_EVERY_MS;
    }
  }

  async #look({ spec, attempt }: UnfinishedRecording): Promise<void> {
    const { registry, host, store, adopt, has } = this.#options;
    const placed = store === undefined ? spec : { ...spec, store: await store() };
    const result = await registry.enterRecording(placed, host);
    if (result.entered) {
      if (!this.#rounds.closed && !has(spec.id)) adopt(result.record, attempt);
      return;
    }
    const { holder } = result;
    // Ended meanwhile, or the key is another's for now: a later sweep sees.
    if (holder.id !== spec.id || hasEnded(holder.progress)) return;
    const taken = await registry.takeRecording({ id: spec.id, host, seen: holder.attempt, stored: attempt });
    if (taken !== undefined && !this.#rounds.closed && !has(spec.id)) adopt(taken, attempt);
  }
}
