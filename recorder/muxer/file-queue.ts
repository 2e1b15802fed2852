import { setTimeout as sleep } from 'node:timers/promises';
import type { Chunk } from '../chunk.ts';
import type { RecordingStore, StoreProgress } from '../store/store.ts';

/** While a file's store is being opened its first chunks wait in memory. */
const MAX_WAITING_BYTES = 32 * 2 ** 20;

/** One file of a recording: its store, and chunks on their way there. */
export class FileQueue {
  readonly number: number;
  /** Length of the recording's files before it. */
  readonly beforeMs: number;
  #store: RecordingStore | undefined;
  #waiting: Chunk[] = [];
  #waitingBytes = 0;
  /** Of chunks that are not known to be durable. */
  #replays: { readonly endMs: number; readonly fromAtMs: number }[] = [];
  #endMs = 0;
  readonly #opening = Promise.withResolvers<void>();

  constructor(number: number, beforeMs: number, store?: RecordingStore) {
    this.number = number;
    this.beforeMs = beforeMs;
    this.#store = store;
    if (store !== undefined) this.#opening.resolve();
  }

  get store(): RecordingStore | undefined {
    return this.#store;
  }

  get progress(): StoreProgress | undefined {
    return this.#store?.progress();
  }

  /** Bytes that no store has yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** @returns whether the store took all that had waited for it; if not, the file cannot go on from here */
  opened(store: RecordingStore): boolean {
    this.#store = store;
    this.#opening.resolve();
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return waiting.every((chunk) => store.append(chunk));
  }

  /** @returns undefined when it was not opened in time */
  async whenOpen(timeoutMs: number): Promise<RecordingStore | undefined> {
    if (this.#store === undefined && timeoutMs > 0) {
      const waited = new AbortController();
      const timeout = sleep(timeoutMs, undefined, { signal: waited.signal }).catch(() => {});
      await Promise.race([this.#opening.promise, timeout]);
      waited.abort();
    }
    return this.#store;
  }

  append(chunk: Chunk, replayFromAtMs: number): boolean {
    if (this.#store !== undefined) {
      if (!this.#store.append(chunk)) return false;
    } else {
      if (this.#waitingBytes + chunk.bytes.length > MAX_WAITING_BYTES) return false;
      this.#waiting.push(chunk);
      this.#waitingBytes += chunk.bytes.length;
    }
    this.#endMs = chunk.endMs;
    this.#replays.push({ endMs: chunk.endMs, fromAtMs: replayFromAtMs });
    return true;
  }

  get durableMs(): number {
    return this.progress?.durable.endMs ?? 0;
  }

  get isDurable(): boolean {
    return this.#replays.length === 0 || this.durableMs >= this.#endMs;
  }

  /** What a successor needs to be told of again has moved on to this time. @returns undefined when it has not */
  takeReplayFrom(): number | undefined {
    const { durableMs } = this;
    let from: number | undefined;
    while (this.#replays[0] !== undefined && this.#replays[0].endMs <= durableMs) {
      from = this.#replays.shift()?.fromAtMs;
    }
    return from;
  }
}
