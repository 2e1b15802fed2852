import type { Logger } from 'pino';
import type { RecordingSpec } from '../../core/recording/recording.ts';
import { StorageConflict } from '../../core/storage/object-store.ts';
import type { Chunk, MuxState } from '../chunk.ts';
import type { Claim } from './claim.ts';
import { Hedge } from './hedge.ts';
import { checkpointKey, filePrefix, headKey, parseKey, tailKey } from './layout.ts';
import type { Coverage, Ledger, PartRange } from './ledger.ts';
import { Stopped } from './patience.ts';
import type { Reservation } from './reservation.ts';
import type { Spool } from './spool.ts';
import { deleteAll, listAll, type Storage } from './storage.ts';
import { decodeTail, encodeCheckpoint, encodeTail, type Tail } from './tail.ts';
import { Uploads } from './uploads.ts';

const TAILS_AT_ONCE = 8;
/** With so many under way storage is slow, or behind: a second call would make it slower. */
const BUSY_TAILS = 4;
const PARTS_AT_ONCE = 2;
/** A queue needs a bound also where chunks are tiny: five hours of them, one a second. */
const MAX_SEGMENTS = 20_000;

export interface WriterOptions {
  readonly storage: Storage;
  readonly spool: Spool;
  readonly spec: RecordingSpec;
  readonly file: number;
  readonly epoch: number;
  readonly claim: Claim;
  readonly ledger: Ledger;
  readonly reservation: Reservation;
  readonly upload?: string;
  /** Object with the first part, of a predecessor. */
  readonly head?: string;
  /** What must be seen to before anybody may take this writer's word, where it could not be yet. */
  readonly establish?: () => Promise<void>;
  readonly log: Logger;
  /** Something became durable. */
  readonly onDurable: () => void;
  /** How long a chunk took from `append` until it was durable by itself. */
  readonly onFlush: (ms: number) => void;
  /** It cannot go on; told once. */
  readonly onFailed: (error: unknown) => void;
  readonly nowMs: () => number;
}

/**
 * Sends what is appended: each chunk as a tail at once, each full part, and a checkpoint when parts are
 * stored; deletes what a checkpoint covers. What is next the ledger says; here it is done, a few at a time.
 */
export class Writer {
  readonly #options: WriterOptions;
  readonly #uploads: Uploads;
  readonly #hedge: Hedge;
  readonly #tasks = new Set<Promise<void>>();
  readonly #appendedAtMs = new Map<number, number>();
  #tails = 0;
  #parts = 0;
  #checkpoints = 0;
  #checkpointing: Promise<void> | undefined;
  #deleting = false;
  #garbage: string[] = [];
  #head: string | undefined;
  #state: MuxState | undefined;
  #lastCheckpoint: string | undefined;
  #running = false;
  /** Once it is, checkpoints are made. */
  #established: Promise<void> = Promise.resolve();

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#head = options.head;
    this.#hedge = new Hedge(options.nowMs);
    this.#uploads = new Uploads(options);
  }

  get reservation(): Reservation {
    return this.#uploads.reservation;
  }

  get upload(): string | undefined {
    return this.#uploads.id;
  }

  get head(): string | undefined {
    return this.#head;
  }

  /** As of the last chunk. */
  get state(): MuxState | undefined {
    return this.#state;
  }

  /** Takes over what a predecessor left. @returns whether the spool's disk has it */
  async inherit(tail: Tail): Promise<boolean> {
    const { ledger, spool } = this.#options;
    const { n } = ledger.append(tail, tail.body.length);
    this.#state = tail.state;
    return await spool.write(this.#tailKey(n), encodeTail(tail));
  }

  /** From now on it sends. */
  begin(): void {
    this.#running = true;
    this.#established = this.#options.establish?.() ?? Promise.resolve();
    this.#run(this.#established);
    this.#pump();
  }

  /** Once it is the file's writer beyond doubt. @throws Superseded when it is not */
  established(): Promise<void> {
    return this.#established;
  }

  /** Begins nothing more. @returns once what is under way has ended */
  async stop(): Promise<void> {
    this.#running = false;
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
    await this.#options.storage.patience.idle();
    await this.#options.spool.settled();
  }

  /** @returns false when there is no room: the chunk is not kept then */
  append(chunk: Chunk): boolean {
    const { ledger, spool, spec, nowMs } = this.#options;
    const { bytes: body, cues, gaps, state, endMs } = chunk;
    if (!this.#running || !spool.hasRoom || ledger.segments >= MAX_SEGMENTS) return false;
    if (ledger.waitingBytes + body.length > spec.limits.maxSpoolBytes) return false;
    const { n, offset } = ledger.append(chunk, body.length);
    this.#appendedAtMs.set(n, nowMs());
    this.#state = state;
    void spool.write(this.#tailKey(n), encodeTail({ offset, body, cues, gaps, state, endMs }));
    this.#pump();
    return true;
  }

  /** Bytes of the file that are in the spool still. */
  async read(from: number, to: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (const { n, offset, end } of this.#options.ledger.segmentsOf(from, to)) {
      const bytes = await this.#options.spool.read(this.#tailKey(n));
      if (!bytes) throw new Error(`${this.#tailKey(n)} is gone from the spool`);
      pieces.push(decodeTail(bytes).body.subarray(Math.max(0, from - offset), Math.min(end, to) - offset));
    }
    return Buffer.concat(pieces);
  }

  /** Makes a checkpoint that lets `more` further part numbers be used. */
  async extendLimit(more: number): Promise<void> {
    // One at a time: a later one must not say less than what the one before let be deleted.
    while (this.#checkpointing) await this.#checkpointing;
    this.#run(this.#checkpoint(this.#options.ledger.extension(more)));
    await this.#checkpointing;
  }

  #pump(): void {
    if (!this.#running) return;
    const { ledger } = this.#options;
    while (this.#tails < TAILS_AT_ONCE) {
      const segment = ledger.takeTail();
      if (!segment) break;
      this.#tails++;
      this.#run(this.#sendTail(segment.n).finally(() => this.#tails--));
    }
    while (this.#parts < PARTS_AT_ONCE) {
      const part = ledger.takePart();
      if (!part) break;
      this.#parts++;
      this.#run(this.#sendPart(part).finally(() => this.#parts--));
    }
    const coverage = this.#checkpointing ? undefined : ledger.dueCheckpoint();
    if (coverage) this.#run(this.#checkpoint(coverage));
    if (!this.#deleting && this.#garbage.length > 0) {
      this.#deleting = true;
      this.#run(this.#deleteGarbage().finally(() => (this.#deleting = false)));
    }
  }

  #run(task: Promise<unknown>): void {
    const settled = task.then(
      () => this.#pump(),
      (error: unknown) => {
        if (error instanceof Stopped || !this.#running) return;
        this.#running = false;
        this.#options.onFailed(error);
      },
    );
    const tracked = settled.finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }

  async #sendTail(n: number): Promise<void> {
    const { spool, storage, ledger, nowMs, onFlush, onDurable } = this.#options;
    const key = this.#tailKey(n);
    const bytes = await spool.read(key);
    if (!bytes) throw new Error(`${key} is gone from the spool`);
    await storage.patience.until('put tail', bytes.length, (timeoutMs) =>
      this.#hedge.call(
        () => storage.patience.tracked(storage.objects.put(key, bytes, { timeoutMs })),
        () => this.#tails < BUSY_TAILS,
      ),
    );
    const atMs = this.#appendedAtMs.get(n);
    this.#appendedAtMs.delete(n);
    if (atMs !== undefined) onFlush(nowMs() - atMs);
    ledger.tailIsDurable(n);
    onDurable();
  }

  async #sendPart({ from, to, number }: PartRange): Promise<void> {
    const { storage, ledger, spec, file, epoch } = this.#options;
    const { objects, patience } = storage;
    const body = await this.read(from, to);
    if (number === undefined) {
      const key = headKey(spec.id, file, epoch);
      const { etag } = await patience.until('put head', body.length, (timeoutMs) =>
        objects.put(key, body, { timeoutMs }),
      );
      this.#head = key;
      ledger.partIsStored(from, etag);
      return;
    }
    const upload = await this.#uploads.open();
    try {
      const { etag } = await patience.until(`upload part ${number}`, body.length, (timeoutMs) =>
        objects.uploadPart(upload, number, body, { timeoutMs }),
      );
      ledger.partIsStored(from, etag);
    } catch (error) {
      if (!(error instanceof StorageConflict)) throw error;
      await this.#uploadIsGone(error);
    }
  }

  /** @throws Superseded when that is because the file is complete */
  async #uploadIsGone(error: StorageConflict): Promise<void> {
    const { claim, ledger, log } = this.#options;
    await claim.check();
    ledger.endParts();
    log.error(
      { err: error, key: this.reservation.key },
      'the upload was aborted by others: its parts are lost',
    );
  }

  #checkpoint(coverage: Coverage): Promise<void> {
    const checkpointing = this.#sendCheckpoint(coverage).finally(() => {
      this.#checkpointing = undefined;
    });
    this.#checkpointing = checkpointing;
    return checkpointing;
  }

  async #sendCheckpoint(coverage: Coverage): Promise<void> {
    const { storage, spool, spec, file, epoch, claim, ledger, onDurable } = this.#options;
    const { hasHead, ...covered } = coverage;
    const key = checkpointKey(spec.id, file, epoch, this.#checkpoints++);
    const bytes = encodeCheckpoint({
      ...covered,
      key: this.reservation.key,
      reservation: this.reservation.etag,
      ...(this.upload === undefined ? {} : { upload: this.upload }),
      ...(hasHead && this.#head !== undefined ? { head: this.#head } : {}),
    });
    await spool.write(key, bytes);
    await this.#established;
    await storage.patience.until('put checkpoint', bytes.length, (timeoutMs) =>
      storage.objects.put(key, bytes, { timeoutMs }),
    );
    const unneeded = ledger.checkpointIsDurable(coverage).map(({ n }) => n);
    for (const n of unneeded) this.#appendedAtMs.delete(n);
    onDurable();
    await claim.check();
    ledger.allowParts(coverage.partLimit);
    if (this.#lastCheckpoint === undefined) this.#garbage.push(...(await this.#leftByPredecessors()));
    else this.#garbage.push(this.#lastCheckpoint);
    this.#lastCheckpoint = key;
    this.#garbage.push(...unneeded.map((n) => this.#tailKey(n)));
  }

  /** What earlier epochs wrote is not needed any more, except for the head. */
  async #leftByPredecessors(): Promise<readonly string[]> {
    const { storage, spool, spec, file, epoch } = this.#options;
    const prefix = filePrefix(spec.id, file);
    const stored = (await listAll(storage, prefix)).map(({ key }) => key);
    return [...new Set([...stored, ...(await spool.list(prefix))])].filter((key) => {
      const parsed = parseKey(key);
      return parsed && 'epoch' in parsed && parsed.epoch < epoch && key !== this.#head;
    });
  }

  async #deleteGarbage(): Promise<void> {
    const keys = this.#garbage;
    this.#garbage = [];
    await this.#options.spool.delete(keys);
    await deleteAll(this.#options.storage, keys);
  }

  #tailKey(n: number): string {
    const { spec, file, epoch } = this.#options;
    return tailKey(spec.id, file, epoch, n);
  }
}
