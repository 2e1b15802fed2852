import type { Logger } from 'pino';
import { hasEnded } from '../../../core/recording/progress.ts';
import type { RecordingId, RecordingRecord } from '../../../core/recording/recording.ts';
import type { NodeEntry, NodeId } from '../../../core/registry/record.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import { Rounds } from '../rounds.ts';

export interface InheritanceOptions {
  readonly registry: Registry;
  /** This process, as recordings and nodes name it. */
  readonly host: string;
  /** Which store this process has. @throws MillraceError `storage_unavailable` */
  readonly store: () => Promise<string>;
  /** How many more recordings this process may have. */
  readonly room: () => number;
  readonly has: (id: RecordingId) => boolean;
  /** @param stored the highest attempt that is known of */
  readonly adopt: (record: RecordingRecord, stored: number) => void;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 1000;
const PAGE = 500;

/**
 * Takes over recordings whose host died, as soon as the registry lets it: of many processes that do so, each
 * takes its share at a time.
 */
export class Inheritance {
  readonly #options: InheritanceOptions;
  readonly #rounds: Rounds;
  /** Hosts that lived when they were looked at last. */
  #alive: ReadonlySet<string> = new Set();
  /** Left by dead ones, and not anybody's yet. */
  #orphans: readonly RecordingRecord[] = [];
  #looked = false;

  constructor(options: InheritanceOptions) {
    this.#options = options;
    this.#rounds = new Rounds(() => this.#round(), LOOK_EVERY_MS);
  }

  open(): void {
    this.#rounds.open();
  }

  close(): void {
    this.#rounds.close();
  }

  /** Takes one over now, if its host is dead. @throws MillraceError `registry_unavailable`, `storage_unavailable` */
  async takeOver(id: RecordingId): Promise<void> {
    const record = await this.#options.registry.findRecording(id);
    if (record === undefined || hasEnded(record.progress)) return;
    const nodes = await this.#options.registry.nodes();
    if (this.#living(nodes).has(record.host)) return;
    await this.#take(record, nodes, await this.#options.store());
  }

  async #round(): Promise<void> {
    try {
      await this.#look();
    } catch (error) {
      this.#options.log.debug({ err: error }, 'recordings of dead hosts cannot be looked for now');
    }
  }

  async #look(): Promise<void> {
    const nodes = await this.#options.registry.nodes();
    const alive = this.#living(nodes);
    const died = [...this.#alive].some((host) => !alive.has(host));
    if (!this.#looked || died || this.#orphans.length > 0) {
      this.#orphans = await this.#find(alive);
      this.#looked = true;
    }
    this.#alive = alive;
    const share = Math.ceil(this.#orphans.length / alive.size);
    const due = shuffled(this.#orphans).slice(0, Math.min(share, this.#options.room()));
    if (due.length === 0) return;
    const store = await this.#options.store();
    for (const record of due) await this.#take(record, nodes, store);
  }

  #living(nodes: readonly NodeEntry[]): ReadonlySet<string> {
    const alive = nodes.filter(({ suspect }) => !suspect).map(({ id }) => id);
    return new Set([this.#options.host, ...alive]);
  }

  async #find(alive: ReadonlySet<string>): Promise<readonly RecordingRecord[]> {
    const orphans: RecordingRecord[] = [];
    let after: RecordingId | undefined;
    for (;;) {
      const page = await this.#options.registry.recordings({
        limit: PAGE,
        ...(after !== undefined && { after }),
      });
      orphans.push(...page.filter(({ host, progress }) => !alive.has(host) && !hasEnded(progress)));
      after = page.at(-1)?.id;
      if (page.length < PAGE) return orphans;
    }
  }

  async #take(record: RecordingRecord, nodes: readonly NodeEntry[], store: string): Promise<void> {
    const { registry, host, has, adopt } = this.#options;
    const { id, attempt: seen } = record;
    // What was written elsewhere cannot be gone on with here.
    if (this.#rounds.closed || has(id) || record.store !== store) return;
    const gone = await this.#isGone(record.host, nodes);
    const taken = await registry.takeRecording({ id, host, seen, ...(gone && { gone: record.host }) });
    if (taken === undefined) return;
    this.#orphans = this.#orphans.filter((orphan) => orphan.id !== id);
    if (!this.#rounds.closed && !has(id)) adopt(taken, taken.attempt);
  }

  /** Whether it was fenced or withdrawn, and never returns; one that is not known may be about to be announced again. */
  async #isGone(node: string, nodes: readonly NodeEntry[]): Promise<boolean> {
    if (nodes.some(({ id }) => id === node)) return false;
    // Of what is not announced this is no report, but a question.
    return this.#options.registry.reportDeadNode(node as NodeId, this.#options.host);
  }
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
