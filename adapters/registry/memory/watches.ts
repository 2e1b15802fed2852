import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { StreamChange } from '../../../core/registry/registry.ts';

interface Watch {
  readonly listener: (change: StreamChange) => void;
}

/** Who waits for changes of which stream. */
export class Watches {
  readonly #watches = new Map<StreamName, Set<Watch>>();

  /** @param first told before any change */
  add(name: StreamName, listener: Watch['listener'], first: StreamChange | undefined): () => void {
    const watch = { listener };
    const watches = this.#watches.get(name) ?? new Set();
    this.#watches.set(name, watches.add(watch));
    if (first !== undefined) this.#tell(name, watch, first);
    return () => {
      watches.delete(watch);
      if (watches.size === 0 && this.#watches.get(name) === watches) this.#watches.delete(name);
    };
  }

  tell(change: StreamChange): void {
    const name = change.type === 'released' ? change.name : change.stream.name;
    for (const watch of this.#watches.get(name) ?? []) this.#tell(name, watch, change);
  }

  clear(): void {
    this.#watches.clear();
  }

  /** In a microtask of its own: a listener may call the registry, and one that fails harms no other. */
  #tell(name: StreamName, watch: Watch, change: StreamChange): void {
    queueMicrotask(() => {
      if (this.#watches.get(name)?.has(watch)) watch.listener(change);
    });
  }
}
