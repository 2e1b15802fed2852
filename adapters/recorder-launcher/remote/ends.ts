import { hasEnded } from '../../../core/recording/progress.ts';
import type { RecordingId, RecordingRecord } from '../../../core/recording/recording.ts';

/** Far above what runs at once; beyond it the oldest are forgotten. */
const MAX_KNOWN = 10_000;

export interface EndsOptions {
  /** @throws MillraceError `registry_unavailable` */
  readonly find: (id: RecordingId) => Promise<RecordingRecord | undefined>;
  /** Whether a host would tell of the ends of its recordings. */
  readonly isLinked: (host: string) => boolean;
}

/** Tells once how each recording ended, also where its host died before it could. */
export class Ends {
  readonly #options: EndsOptions;
  readonly #listeners = new Set<{ readonly tell: (record: RecordingRecord) => void }>();
  /** Recordings that this process has to do with, and who had each when it was last looked at. */
  readonly #followed = new Map<RecordingId, string>();
  readonly #told = new Set<RecordingId>();
  #checking = false;

  constructor(options: EndsOptions) {
    this.#options = options;
  }

  listen(listener: (record: RecordingRecord) => void): () => void {
    const entry = { tell: listener };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  follow({ id, host }: RecordingRecord): void {
    if (this.#told.has(id)) return;
    this.#followed.set(id, host);
    forgetOldest(this.#followed);
  }

  tell(record: RecordingRecord): void {
    const { id } = record;
    this.#followed.delete(id);
    if (this.#told.has(id)) return;
    this.#told.add(id);
    forgetOldest(this.#told);
    for (const { tell } of this.#listeners) tell(record);
  }

  /** What a host told meanwhile may not have come here. */
  doubt(host: string): void {
    for (const [id, known] of this.#followed) if (known === host) this.#followed.set(id, '');
  }

  /** Looks after those whose host is out of reach. */
  async check(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      for (const [id, host] of [...this.#followed]) {
        if (!this.#options.isLinked(host)) await this.#look(id);
      }
    } catch {
      // The registry is away: at the next look.
    } finally {
      this.#checking = false;
    }
  }

  async #look(id: RecordingId): Promise<void> {
    const record = await this.#options.find(id);
    if (!this.#followed.has(id)) return;
    if (record === undefined) this.#followed.delete(id);
    else if (hasEnded(record.progress)) this.tell(record);
    else this.#followed.set(id, record.host);
  }
}

function forgetOldest(known: Map<RecordingId, unknown> | Set<RecordingId>): void {
  if (known.size <= MAX_KNOWN) return;
  const [oldest] = known.keys();
  if (oldest !== undefined) known.delete(oldest);
}
