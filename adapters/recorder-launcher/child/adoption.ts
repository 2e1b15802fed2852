import type { Logger } from 'pino';
import { hasEnded } from '../../../core/recording/progress.ts';
import type { RecordingId, RecordingRecord } from '../../../core/recording/recording.ts';
import type { RecordingStorage, UnfinishedRecording } from '../../../core/recording/storage.ts';
import type { Registry } from '../../../core/registry/registry.ts';

export interface AdoptionOptions {
  readonly registry: Registry;
  readonly storage: RecordingStorage;
  readonly host: string;
  /** Which store that is; absent = nobody else shares the registry. */
  readonly store?: () => Promise<string>;
  readonly has: (id: RecordingId) => boolean;
  /** @param stored the highest attempt that storage tells of */
  readonly adopt: (record: RecordingRecord, stored: number) => void;
  readonly log: Logger;
}

const SWEEP_EVERY_MS = 60_000;
const SWEEP_TIMEOUT_MS = 30_000;
/** Of one sweep; the next one goes on. */
const MAX_FOUND = 1000;

/** Looks in storage for recordings that nobody looks after, at the start and then every minute. */
export class Adoption {
  readonly #options: AdoptionOptions;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: AdoptionOptions) {
    this.#options = options;
  }

  open(): void {
    void this.#sweep();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #sweep(): Promise<void> {
    const { storage, log } = this.#options;
    try {
      const found = await storage.unfinished({ limit: MAX_FOUND, timeoutMs: SWEEP_TIMEOUT_MS });
      for (const unfinished of found) {
        if (this.#closed) return;
        if (!this.#options.has(unfinished.spec.id)) await this.#look(unfinished);
      }
    } catch (error) {
      log.warn({ err: error }, 'unfinished recordings cannot be looked for now');
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.#sweep(), SWEEP_EVERY_MS);
  }

  async #look({ spec, attempt }: UnfinishedRecording): Promise<void> {
    const { registry, host, store, adopt, has } = this.#options;
    const placed = store === undefined ? spec : { ...spec, store: await store() };
    const result = await registry.enterRecording(placed, host);
    if (result.entered) {
      if (!this.#closed && !has(spec.id)) adopt(result.record, attempt);
      return;
    }
    const { holder } = result;
    // Ended meanwhile, or the key is another's for now: a later sweep sees.
    if (holder.id !== spec.id || hasEnded(holder.progress)) return;
    const taken = await registry.takeRecording({ id: spec.id, host, seen: holder.attempt, stored: attempt });
    if (taken !== undefined && !this.#closed && !has(spec.id)) adopt(taken, attempt);
  }
}
