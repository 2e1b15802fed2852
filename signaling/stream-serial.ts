import type { StreamName } from '../core/protocol/index.ts';

/**
 * Work on one stream runs in the order in which it was asked for; work on different streams runs in
 * parallel. Bounded by the requests that may wait on the session's connection.
 */
export class StreamSerial {
  readonly #tails = new Map<StreamName, Promise<unknown>>();

  run<Result>(stream: StreamName, work: () => Promise<Result>): Promise<Result> {
    const result = (this.#tails.get(stream) ?? Promise.resolve()).then(work);
    // A failure is the business of its own request; the next one starts anyway.
    const tail: Promise<void> = result.then(
      () => this.#forget(stream, tail),
      () => this.#forget(stream, tail),
    );
    this.#tails.set(stream, tail);
    return result;
  }

  get idle(): boolean {
    return this.#tails.size === 0;
  }

  #forget(stream: StreamName, tail: Promise<unknown>): void {
    if (this.#tails.get(stream) === tail) this.#tails.delete(stream);
  }
}
