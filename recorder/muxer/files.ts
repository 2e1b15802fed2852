import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RecordingFile, RecordingSpec } from '../../core/recording/recording.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import type { Chunk } from '../chunk.ts';
import { webmEnds } from '../finish/ends.ts';
import { Superseded } from '../store/claim.ts';
import { openStore } from '../store/open-store.ts';
import type { RecordingStore, StoreProgress } from '../store/store.ts';
import { parseTimelineState } from '../timeline/index.ts';
import { FileQueue } from './file-queue.ts';
import { FINISH_MS, finishEarlier, finishFiles, isStorageAway } from './finish-files.ts';

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
/** What the end of a file gets to be durable before the next one begins: whoever finds that looks for no more of it. */
const END_MS = 5000;
const FLUSH_MS = 30_000;

interface Closed extends Pick<FilesProgress, 'gaps' | 'storageErrors'> {
  readonly files: readonly RecordingFile[];
}

const NOTHING_CLOSED: Closed = { files: [], gaps: { count: 0, totalMs: 0 }, storageErrors: 0 };

/** The files of a recording as one muxer writes them, one behind the other. */
export class Files {
  readonly #options: FilesOptions;
  /** The last one is written; those before it are whole, and being completed. */
  #queues: readonly FileQueue[] = [];
  #opened: RecordingStore | undefined;
  /** Those that are complete are not in it. */
  #closed: Closed = NOTHING_CLOSED;
  /** Rejected where a file could not be completed while the recording goes on. */
  readonly #completing = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  #failed = false;

  /** Opens the newest file. @throws as `openStore` */
  static async open(options: FilesOptions): Promise<Files> {
    const files = new Files(options);
    const store = await openStore(files.#storeOptions());
    const timeline = parseTimelineState(store.recovered?.state?.timeline);
    files.#opened = store;
    files.#queues = [new FileQueue(store.file, timeline?.beforeMs ?? 0, store)];
    files.#closed = { ...NOTHING_CLOSED, files: store.completed };
    if (store.completed.length < store.file) files.#complete(files.#completeEarlier(store.file));
    return files;
  }

  private constructor(options: FilesOptions) {
    this.#options = options;
  }

  /** What a predecessor left of the newest file. */
  get recovered(): RecordingStore['recovered'] {
    return this.#opened?.recovered;
  }

  get isFull(): boolean {
    return this.#current.progress?.full ?? false;
  }

  progress(): FilesProgress {
    const known = this.#queues.flatMap(({ progress }) => progress ?? []);
    const { files: completed, gaps } = this.#closed;
    // What is behind something that is not durable would not be found.
    const written = this.#queues.find(({ isDurable }) => !isDurable) ?? this.#current;
    const hindrance = known.find((one) => one.hindrance !== undefined)?.hindrance;
    const sum = (of: (one: StoreProgress) => number) => known.reduce((total, one) => total + of(one), 0);
    return {
      durableMs: written.beforeMs + written.durableMs,
      bytes: sum(({ nextOffset }) => nextOffset) + completed.reduce((total, { bytes }) => total + bytes, 0),
      spoolBytes: sum(({ spoolBytes }) => spoolBytes) + this.#current.waitingBytes,
      gaps: {
        count: gaps.count + sum((one) => one.gaps.count),
        totalMs: gaps.totalMs + sum((one) => one.gaps.totalMs),
      },
      storageErrors: this.#closed.storageErrors + sum(({ storageErrors }) => storageErrors),
      completed,
      ...(hindrance === undefined ? {} : { hindrance }),
    };
  }

  append(chunk: Chunk, replayFromAtMs: number): boolean {
    return this.#current.append(chunk, replayFromAtMs);
  }

  /** The next chunk begins the next file. */
  roll(durationMs: number): void {
    const ended = this.#current;
    const { number, beforeMs } = ended;
    const next = new FileQueue(number + 1, beforeMs + durationMs);
    this.#queues = [...this.#queues, next];
    this.#options.log.info(
      { file: number, durationMs: Math.round(durationMs) },
      'file is full; the next one begins',
    );
    this.#openNext(next, ended).then(
      () => this.#complete(this.#completeQueue(ended)),
      (error: unknown) => this.#fail(error),
    );
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
    await Promise.all(this.#completing);
    for (const { store } of this.#queues) {
      if (store === undefined) continue;
      const { settled } = await store.finish({ ends: webmEnds, timeoutMs: FINISH_MS });
      await settled;
    }
    this.#closing.abort();
    return await finishFiles(this.#finishOptions());
  }

  get #current(): FileQueue {
    const queue = this.#queues.at(-1);
    if (queue === undefined) throw new Error('no file is open');
    return queue;
  }

  /** Only once the next one has begun: until then a successor would go on with it. */
  #complete(work: Promise<void>): void {
    this.#completing.add(work);
    work.catch((error: unknown) => {
      if (error instanceof Superseded) this.#fail(error);
      else this.#options.log.warn({ err: error }, 'a file that is full is completed with the last one');
    });
  }

  async #completeQueue(queue: FileQueue): Promise<void> {
    for (;;) {
      if (this.#failed || this.#closing.signal.aborted) return;
      const store = await queue.whenOpen(FLUSH_MS);
      if (!(await store?.flush(FLUSH_MS)) || store === undefined) continue;
      const { file, settled } = await store.finish({ ends: webmEnds, timeoutMs: FINISH_MS });
      await settled;
      const { gaps, storageErrors } = store.progress();
      this.#queues = this.#queues.filter((other) => other !== queue);
      this.#closed = {
        files: [...this.#closed.files, ...(file ? [file] : [])],
        gaps: {
          count: this.#closed.gaps.count + gaps.count,
          totalMs: this.#closed.gaps.totalMs + gaps.totalMs,
        },
        storageErrors: this.#closed.storageErrors + storageErrors,
      };
      this.#options.log.info({ file: queue.number, key: file?.key }, 'a full file is complete');
      return;
    }
  }

  /** Those of a predecessor that died before it had. */
  async #completeEarlier(before: number): Promise<void> {
    const files = await finishEarlier(this.#finishOptions(), before);
    this.#closed = {
      ...this.#closed,
      files: [...files, ...this.#closed.files.slice(this.#opened?.completed.length)],
    };
  }

  #finishOptions() {
    const { objects, spoolDirectory, spec, epoch, log } = this.#options;
    return { objects, spoolDirectory, spec, epoch, log };
  }

  async #openNext(queue: FileQueue, ended: FileQueue): Promise<void> {
    const { signal } = this.#closing;
    await (await ended.whenOpen(END_MS))?.flush(END_MS);
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
