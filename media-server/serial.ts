import { MillraceError } from '../core/protocol/error.ts';

/**
 * Runs the work of one key in order, that of different keys side by side. A key exists while it has work.
 * The queue of each key is bounded; an operation is bounded by the deadlines within it.
 */
export class KeyedSerial {
  readonly #maxWaiting: number;
  readonly #queues = new Map<string, { waiting: number; tail: Promise<unknown> }>();

  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting;
  }

  has(key: string): boolean {
    return this.#queues.has(key);
  }

  keys(): readonly string[] {
    return [...this.#queues.keys()];
  }

  /** @throws MillraceError `too_many` when the key has `maxWaiting` operations waiting */
  async run<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key) ?? { waiting: 0, tail: Promise.resolve() };
    if (queue.waiting > this.#maxWaiting) {
      throw new MillraceError(
        'too_many',
        `too many requests at once for one stream: ${this.#maxWaiting} are waiting already; wait for their replies`,
      );
    }
    this.#queues.set(key, queue);
    queue.waiting++;
    const result = queue.tail.then(operation);
    // A failure belongs to the caller of that operation, not to the next in the queue.
    queue.tail = result.catch(() => {});
    try {
      return await result;
    } finally {
      if (--queue.waiting === 0) this.#queues.delete(key);
    }
  }
}
