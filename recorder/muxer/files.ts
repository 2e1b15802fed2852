import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RecordingFile, RecordingSpec } from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import type { Chunk } from '../chunk.ts';
import { webmEnds } from '../finish/ends.ts';
import { openStore } from '../store/open-store.ts';
import type { RecordingStore, StoreProgress } from '../store/store.ts';
import { parseTimelineState } from '../timeline/index.ts';
import { FileQueue } from './file-queue.ts';
import { FINISH_MS, finishFiles, isStorageAway } from './finish-files.ts';

export interface FilesOptions {
  readonly objects: ObjectStore;
  /** This machine's. */
  readonly spoolDirectory: string;
  readonly spec: RecordingSpec;
  readonly epoch: number;
  readonly log: Logger;
  /** A successor needs nothing from before this time, by the receiver's clock. */
  readonly onDurable: (replayFromAtMs: number) => void;
  /** How long a chunk took until it was durable. */
  readonly onFlush: (ms: number) => void;
  /** Nothing more can be written. Told once. */
  readonly onFailed: (error: unknown) => void;
}

export interface FilesProgress
  extends Pick<StoreProgress, 'spoolBytes' | 'gaps' | 'storageErrors' | 'hindrance'> {
  readonly durableMs: number;
  /** Of all files that this muxer knows. */
  readonly bytes: number;
  readonly completed: readonly RecordingFile[];
}

const REOPEN_MS = 1000;

/** The files of a recording as one muxer writes them, one behind the other. */
export class Files {
  readonly #options: FilesOptions;
  /** The last one is written; those before it are whole, and completed in the end. */
  readonly #queues: FileQueue[] = [];
  readonly #closing = new AbortController();
  #failed = false;

  /** Opens the newest file. @throws as `openStore` */
  static async open(options: FilesOptions): Promise<Files> {
    const files = new Files(options);
    const store = await openStore(files.#storeOptions());
    const timeline = parseTimelineState(store.recovered?.state?.timeline);
    files.#queues.push(new FileQueue(store.file, timeline?.beforeMs ?? 0, store));
    return files;
  }

  private constructor(options: FilesOptions) {
    this.#options = options;
  }

  /** What a predecessor left of the newest file. */
  get recovered(): RecordingStore['recovered'] {
    return this.#queues[0]?.store?.recovered;
  }

  get isFull(): boolean {
    return this.#current.progress?.full ?? false;
  }

  progress(): FilesProgress {
    const known = this.#queues.flatMap(({ progress }) => progress ?? []);
    const completed = this.#queues[0]?.store?.completed ?? [];
    // What is behind something that is not durable would not be found.
    const written = this.#queues.find(({ isDurable }) => !isDurable) ?? this.#current;
    const hindrance = known.find((one) => one.hindrance !== undefined)?.hindrance;
    const sum = (of: (one: StoreProgress) => number) => known.reduce((total, one) => total + of(one), 0);
    return {
      durableMs: written.beforeMs + written.durableMs,
      bytes: sum(({ nextOffset }) => nextOffset) + completed.reduce((total, { bytes }) => total + bytes, 0),
      spoolBytes: sum(({ spoolBytes }) => spoolBytes) + this.#current.waitingBytes,
      gaps: { count: sum(({ gaps }) => gaps.count), totalMs: sum(({ gaps }) => gaps.totalMs) },
      storageErrors: sum(({ storageErrors }) => storageErrors),
      completed,
      ...(hindrance === undefined ? {} : { hindrance }),
    };
  }

  append(chunk: Chunk, replayFromAtMs: number): boolean {
    return this.#current.append(chunk, replayFromAtMs);
  }

  /** The next chunk begins the next file. */
  roll(durationMs: number): void {
    const { number, beforeMs } = this.#current;
    const next = new FileQueue(number + 1, beforeMs + durationMs);
    this.#queues.push(next);
    this.#options.log.info(
      { file: number, durationMs: Math.round(durationMs) },
      'file is full; the next one begins',
    );
    this.#openNext(next).catch((error: unknown) => this.#fail(error));
  }

  /** Waits until everything is durable. @returns false when it took too long */
  async flush(timeoutMs: number): Promise<boolean> {
    const untilMs = performance.now() + timeoutMs;
    for (const queue of this.#queues) {
      const store = await queue.whenOpen(untilMs - performance.now());
      if (!(await store?.flush(Math.max(0, untilMs - performance.now())))) return false;
    }
    return true;
  }

  /** Takes nothing more. @returns whether everything is durable */
  async close(timeoutMs: number): Promise<boolean> {
    const isDurable = await this.flush(timeoutMs);
    this.#closing.abort();
    await Promise.all(this.#queues.map(({ store }) => store?.close(0)));
    return isDurable;
  }

  /** Completes all files, and leaves nothing else. @throws as `finishRecording` */
  async finish(): Promise<readonly RecordingFile[]> {
    for (const { store } of this.#queues) {
      if (store === undefined) continue;
      const { settled } = await store.finish({ ends: webmEnds, timeoutMs: FINISH_MS });
      await settled;
    }
    this.#closing.abort();
    const { objects, spoolDirectory, spec, epoch, log } = this.#options;
    return await finishFiles({ objects, spoolDirectory, spec, epoch, log });
  }

  get #current(): FileQueue {
    const queue = this.#queues.at(-1);
    if (queue === undefined) throw new Error('no file is open');
    return queue;
  }

  async #openNext(queue: FileQueue): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const store = await openStore({ ...this.#storeOptions(), file: queue.number });
        if (signal.aborted) await store.close(0);
        else if (!queue.opened(store)) throw new Error('there is no room for the beginning of the next file');
        return;
      } catch (error) {
        if (!isStorageAway(error)) throw error;
        this.#options.log.warn({ err: error, file: queue.number }, 'the next file cannot be opened; again');
        await sleep(REOPEN_MS, undefined, { signal }).catch(() => {});
      }
    }
  }

  #storeOptions() {
    const { objects, spoolDirectory, spec, epoch, log, onFlush } = this.#options;
    return {
      ...{ objects, spoolDirectory, spec, epoch, log, onFlush },
      onDurable: () => this.#durable(),
      onEnd: (error: unknown) => this.#fail(error),
    };
  }

  #durable(): void {
    for (const queue of this.#queues) {
      const replayFromAtMs = queue.takeReplayFrom();
      if (replayFromAtMs !== undefined) this.#options.onDurable(replayFromAtMs);
      if (!queue.isDurable) return;
    }
  }

  #fail(error: unknown): void {
    if (this.#failed || this.#closing.signal.aborted) return;
    this.#failed = true;
    this.#options.onFailed(error);
  }
}
