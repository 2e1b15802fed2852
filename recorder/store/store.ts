import type { Logger } from 'pino';
import type {
  RecordingEpoch,
  RecordingFile,
  RecordingKey,
  RecordingSpec,
} from '../../core/recording/recording.ts';
import type { Chunk, MuxState } from '../chunk.ts';
import { settleFile } from '../finish/aftermath.ts';
import { webmEnds } from '../finish/ends.ts';
import { finishFile } from '../finish/finish-file.ts';
import type { FileEnds, UnfinishedFile } from '../finish/unfinished-file.ts';
import { Claim } from './claim.ts';
import { inheritedTails } from './inheritance.ts';
import { filePrefix } from './layout.ts';
import type { Durable, Ledger } from './ledger.ts';
import type { RecoveredFile } from './recovery.ts';
import type { Reservation } from './reservation.ts';
import type { Sleep } from './sleep.ts';
import type { Spool } from './spool.ts';
import { inTime, type Storage } from './storage.ts';
import { Writer } from './writer.ts';

/** Parts beyond it would leave no room for a finisher's below S3's 10,000. */
const MAX_PART_NUMBER = 9000;
/** What a finish waits for the last tails, which it can do without. */
const FLUSH_BEFORE_FINISH_MS = 2000;

/** What a predecessor left, for the muxer that goes on from there. */
export interface RecoveredMedia {
  readonly nextOffset: number;
  readonly endMs: number;
  /** Absent while there is no media. */
  readonly state?: MuxState;
  readonly gaps: { readonly count: number; readonly totalMs: number };
}

export interface StoreProgress {
  /** What would survive if everything died now. */
  readonly durable: Durable;
  /** With what is on its way. */
  readonly nextOffset: number;
  readonly endMs: number;
  /** What waits for storage. */
  readonly spoolBytes: number;
  readonly gaps: { readonly count: number; readonly totalMs: number };
  /** The file has the size or the parts that it may have, or takes no more: go on in the next one. */
  readonly full: boolean;
  /** Calls that failed so far. */
  readonly storageErrors: number;
  /** What storage said last, while it is away. */
  readonly hindrance?: string;
}

export interface FinishedFile {
  /** Absent for one without media: nothing is left of it. */
  readonly file?: RecordingFile;
  /** Once it is described and everything it was made from is deleted; a sweep does that too. @throws as `finish` */
  readonly settled: Promise<void>;
}

export interface FinishStoreOptions {
  readonly timeoutMs: number;
  /** For tests. */
  readonly ends?: FileEnds;
}

/** What `openStore` found and made. */
export interface OpenedFile {
  readonly spec: RecordingSpec;
  readonly file: number;
  readonly epoch: RecordingEpoch;
  readonly storage: Storage;
  /** Ends the patience of `storage`. */
  readonly stop: AbortController;
  readonly spool: Spool;
  readonly ledger: Ledger;
  readonly reservation: Reservation;
  readonly recovered?: RecoveredFile;
  /** What is to be done before checkpoints are made, where storage was away when it was opened. */
  readonly establish?: () => Promise<void>;
  /** Earlier files of the recording that are complete, as far as storage could be asked. */
  readonly completed: readonly RecordingFile[];
  readonly partBytes: number;
  readonly log: Logger;
  readonly nowMs: () => number;
  readonly sleep?: Sleep;
  readonly onDurable?: () => void;
  readonly onFlush?: (ms: number) => void;
  readonly onEnd?: (error: unknown) => void;
}

/** One file of a recording, open for writing. `openStore` makes it. */
export class RecordingStore {
  readonly #opened: OpenedFile;
  readonly #writer: Writer;
  readonly #flushes = new Set<() => void>();
  #ended = false;

  constructor(opened: OpenedFile) {
    this.#opened = opened;
    const { storage, spec, file, epoch, recovered, stop } = opened;
    const { upload, head } = recovered?.checkpoint ?? {};
    this.#writer = new Writer({
      ...opened,
      claim: new Claim(storage, { spec, file, epoch }),
      ...(upload === undefined ? {} : { upload }),
      ...(head === undefined ? {} : { head }),
      onFlush: (ms) => opened.onFlush?.(ms),
      onDurable: () => this.#durable(),
      onFailed: (error) => {
        stop.abort();
        this.#end(error);
      },
    });
  }

  get file(): number {
    return this.#opened.file;
  }

  get completed(): readonly RecordingFile[] {
    return this.#opened.completed;
  }

  /** The file's own; another than was asked for when somebody else writes there. */
  get key(): RecordingKey {
    return this.#writer.reservation.key;
  }

  get recovered(): RecoveredMedia | undefined {
    return this.#opened.recovered;
  }

  /** Takes over what was recovered, and begins to send. */
  async begin(): Promise<void> {
    const { recovered, ledger, establish } = this.#opened;
    if (recovered) {
      let spooled = true;
      for await (const tail of inheritedTails(recovered)) {
        const written = await this.#writer.inherit(tail);
        spooled &&= written;
        if (tail.offset + tail.body.length === recovered.storedTo) ledger.inheritedUpToHere();
      }
      // What only memory has, or what storage may have of a predecessor without this writer knowing, must be in
      // storage before anybody takes this writer's word for it.
      if (!spooled || establish) ledger.inheritedUpToHere();
    }
    this.#writer.begin();
  }

  /** @returns false when there is no room, or it has ended: the chunk is not kept then */
  append(chunk: Chunk): boolean {
    return !this.#ended && this.#writer.append(chunk);
  }

  progress(): StoreProgress {
    const { ledger, storage, spec } = this.#opened;
    const { failures, lastFailure } = storage.patience;
    const { durable, nextOffset, endMs, waitingBytes, gaps, nextPartNumber, partsEnded } = ledger;
    return {
      ...{ durable, nextOffset, endMs, gaps },
      spoolBytes: waitingBytes,
      full: partsEnded || nextOffset >= spec.limits.maxFileBytes || nextPartNumber > MAX_PART_NUMBER,
      storageErrors: failures,
      ...(lastFailure === undefined ? {} : { hindrance: lastFailure }),
    };
  }

  /** Waits until everything is durable. @returns whether it is */
  async flush(timeoutMs: number): Promise<boolean> {
    if (!this.#isFlushed() && !this.#ended) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      this.#flushes.add(resolve);
      await promise;
      clearTimeout(timer);
      this.#flushes.delete(resolve);
    }
    return this.#isFlushed();
  }

  /**
   * Takes nothing more, sends what is on its way and lets go; the file is left to a successor.
   *
   * @returns whether everything is durable
   */
  async close(timeoutMs: number): Promise<boolean> {
    const flushed = await this.flush(timeoutMs);
    this.#end();
    this.#opened.stop.abort();
    return flushed;
  }

  /**
   * Takes nothing more and completes the file. Only for who was granted it: a successor that records on would
   * lose its upload.
   *
   * @throws Superseded; MillraceError as `finishFile`, `storage_unavailable` when it took too long: a sweep
   *   completes it then
   */
  async finish({ timeoutMs, ends = webmEnds }: FinishStoreOptions): Promise<FinishedFile> {
    const { log, sleep, spec, file, epoch, partBytes, stop } = this.#opened;
    const { objects } = this.#opened.storage;
    const options = { objects, log, timeoutMs, ...(sleep ? { sleep } : {}) };
    try {
      return await inTime(options, 'the file could not be completed', async (storage) => {
        await this.flush(Math.min(FLUSH_BEFORE_FINISH_MS, timeoutMs));
        await storage.patience.unlessStopped(this.#writer.established());
        await new Claim(storage, { spec, file, epoch }).check();
        await storage.patience.unlessStopped(this.#extendPartNumbers());
        this.#end();
        stop.abort();
        const unfinished = this.#unfinished();
        const finished = await finishFile(storage, unfinished, { ends, partBytes, log });
        const settled = inTime(options, 'what the file was made from could not be deleted', (later) =>
          this.#settle(later, unfinished, finished),
        );
        return { ...(finished ? { file: finished } : {}), settled };
      });
    } finally {
      this.#end();
      stop.abort();
    }
  }

  /** The parts still to come must have numbers that no successor uses. */
  async #extendPartNumbers(): Promise<void> {
    const { ledger, partBytes } = this.#opened;
    if (this.#writer.upload === undefined) return;
    const more = Math.ceil((ledger.nextOffset - ledger.coveredTo) / partBytes) + 1;
    if (ledger.nextPartNumber - 1 + more <= ledger.partLimit) return;
    await this.#writer.extendLimit(more);
  }

  #unfinished(): UnfinishedFile {
    const { spec, file, epoch, ledger } = this.#opened;
    const writer = this.#writer;
    const { coveredTo, parts } = ledger.stored();
    return {
      ...{ spec, file, epoch, coveredTo, parts },
      reservation: writer.reservation,
      ...(writer.upload === undefined ? {} : { upload: writer.upload }),
      ...(coveredTo === 0 || writer.head === undefined ? {} : { head: writer.head }),
      nextPartNumber: ledger.nextPartNumber,
      endOffset: ledger.nextOffset,
      durationMs: ledger.endMs,
      cues: ledger.cues,
      gaps: ledger.gaps,
      tracks: writer.state?.tracks ?? [],
      startedAtMs: writer.state?.startedAtMs ?? spec.requestedAtMs,
      read: (from, to) => writer.read(from, to),
    };
  }

  async #settle(
    storage: Storage,
    unfinished: UnfinishedFile,
    file: RecordingFile | undefined,
  ): Promise<void> {
    const { spool, spec, log } = this.#opened;
    // What is on its way still would come after it was deleted.
    await storage.patience.unlessStopped(this.#writer.stop());
    await settleFile(storage, unfinished, file, log);
    await spool.deleteAll(filePrefix(spec.id, unfinished.file));
  }

  #isFlushed(): boolean {
    const { ledger } = this.#opened;
    return ledger.durable.offset >= ledger.nextOffset;
  }

  #durable(): void {
    if (this.#isFlushed()) for (const resolve of this.#flushes) resolve();
    this.#opened.onDurable?.();
  }

  #end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const resolve of this.#flushes) resolve();
    if (error !== undefined) this.#opened.onEnd?.(error);
  }
}
