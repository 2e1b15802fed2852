import type { StreamSource } from '../../../core/channel/recorder.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { StreamRecord } from '../../../core/registry/record.ts';
import type { Registry } from '../../../core/registry/registry.ts';

const RETRY_MS = 500;

/** Whether somebody publishes a stream, and where recorders can have it. */
export class StreamPresence {
  readonly #registry: Registry;
  readonly #onChange: () => void;
  readonly #stop: () => void;
  #holder: StreamRecord | undefined;
  #source: StreamSource | null = null;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param onChange never called before this has returned */
  constructor(stream: StreamName, registry: Registry, onChange: () => void) {
    this.#registry = registry;
    this.#onChange = onChange;
    this.#stop = registry.watchStream(stream, (change) => {
      const holder = change.type === 'released' ? undefined : change.stream;
      if (holder?.epoch === this.#holder?.epoch && holder !== undefined) return;
      this.#holder = holder;
      this.#source = null;
      if (holder === undefined) onChange();
      else void this.#locate(holder);
    });
  }

  get present(): boolean {
    return this.#holder !== undefined;
  }

  /** null while nobody publishes it, or its media server is not known yet. */
  get source(): StreamSource | null {
    return this.#source;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#stop();
  }

  async #locate(holder: StreamRecord): Promise<void> {
    clearTimeout(this.#retry);
    const nodes = await this.#registry.nodes().catch(() => []);
    if (this.#closed || this.#holder !== holder) return;
    const node = nodes.find(({ id }) => id === holder.node);
    if (node === undefined) {
      this.#retry = setTimeout(() => void this.#locate(holder), RETRY_MS);
      return;
    }
    this.#source = { address: node.address, epoch: holder.epoch };
    this.#onChange();
  }
}
