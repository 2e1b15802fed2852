import { MillraceError, type StreamName } from '../core/protocol/index.ts';
import type { StreamRecord } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';

const MAX_KNOWN = 10_000;

/** Where streams are: the registry's word, and what it said last for when it is out of reach. */
export class StreamDirectory {
  readonly #registry: Registry;
  /** In the order in which they were last seen, the longest unseen first. */
  readonly #known = new Map<StreamName, StreamRecord>();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** @throws MillraceError `registry_unavailable` when neither the registry nor memory can tell */
  async find(name: StreamName): Promise<StreamRecord | undefined> {
    try {
      const record = await this.#registry.findStream(name);
      if (record === undefined) this.forget(name);
      else this.learn(record);
      return record;
    } catch (error) {
      const known = this.#known.get(name);
      if (known !== undefined && error instanceof MillraceError) return known;
      throw error;
    }
  }

  learn(record: StreamRecord): void {
    this.#known.delete(record.name);
    this.#known.set(record.name, record);
    if (this.#known.size <= MAX_KNOWN) return;
    for (const name of this.#known.keys()) {
      this.#known.delete(name);
      break;
    }
  }

  /** @param epoch only what is known with this epoch */
  forget(name: StreamName, epoch?: number): void {
    if (epoch === undefined || this.#known.get(name)?.epoch === epoch) this.#known.delete(name);
  }
}
