/** A small typed emitter: `on` returns the way to stop listening. */
export class Events<Map extends object> {
  readonly #listeners = new globalThis.Map<keyof Map, Set<(detail: never) => void>>();

  on<Name extends keyof Map>(name: Name, listener: (detail: Map[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  once<Name extends keyof Map>(name: Name, listener: (detail: Map[Name]) => void): () => void {
    const stop = this.on(name, (detail) => {
      stop();
      listener(detail);
    });
    return stop;
  }

  protected emit<Name extends keyof Map>(name: Name, detail: Map[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        // Only `on` fills the set of this name, with listeners of this name's detail.
        (listener as (detail: Map[Name]) => void)(detail);
      } catch (error) {
        // A listener's failure is its owner's: it must show up, and must not stop the protocol.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
