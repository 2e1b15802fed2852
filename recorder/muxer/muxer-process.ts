import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/error.ts';
import { NO_PROGRESS } from '../../core/recording/progress.ts';
import type { RecordingProgress } from '../../core/recording/recording.ts';
import { EffortTally } from '../../core/recording/storage-effort.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { describedFiles } from '../finish/described-files.ts';
import type { SourceEvent } from '../source-event.ts';
import type { FatalEvent, MuxerNotice, MuxerOrder } from '../supervisor-message.ts';
import { parseTimelineState } from '../timeline/index.ts';
import { Files } from './files.ts';
import { finishFiles } from './finish-files.ts';
import { Muxer, type Resumed } from './muxer.ts';
import { Poison } from './poison.ts';
import { SourceConnection } from './source-connection.ts';
import { WaitingConnection } from './waiting-connection.ts';

export interface MuxerProcessOptions {
  readonly objects: ObjectStore;
  readonly spoolDirectory: string;
  readonly log: Logger;
  readonly tell: (notice: MuxerNotice) => void;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

type Start = Extract<MuxerOrder, { readonly type: 'start' }>;

type Phase =
  | 'waiting'
  /** The store is being opened. */
  | 'opening'
  | 'recording'
  /** Nothing more is taken; what there is becomes durable, or is. */
  | 'flushing'
  | 'finishing'
  /** Completed, failed or left: it only waits to be ended. */
  | 'over';

/** A flush is tried anew after this, until the supervisor has enough of it. */
const FLUSH_MS = 30_000;
/** What there is to be made durable when the supervisor is gone. */
const LEAVE_MS = 1500;
/** A successor has been told all that the receiver kept for it, or nothing comes. */
const CAUGHT_UP_MS = 500;
/** From the last event; a receiver ticks ten times a second. */
const SILENT_MS = 1000;

/** One muxer: does what the supervisor orders, and says how it goes. */
export class MuxerProcess {
  readonly #options: MuxerProcessOptions;
  readonly #start: Start;
  #phase: Phase;
  #waiting: WaitingConnection | undefined;
  readonly #effort = new EffortTally();
  readonly #poison: Poison;
  #errorsTold = 0;
  #files: Files | undefined;
  #muxer: Muxer | undefined;
  #source: SourceConnection | undefined;
  #connectedAtMs = Number.POSITIVE_INFINITY;
  #heardAtMs: number;
  #appended = false;
  /** Asked for while there was nothing that could be flushed yet. */
  #flushWanted = false;

  constructor(options: MuxerProcessOptions, start: Start) {
    this.#options = options;
    this.#start = start;
    this.#heardAtMs = options.now();
    this.#poison = new Poison(start.fatal ?? []);
    this.#phase = start.mode === 'wait' ? 'waiting' : 'opening';
    if (start.mode === 'wait') this.#waiting = new WaitingConnection(start.socketPath);
    else if (start.mode === 'record') this.#begin();
    else this.#finish();
  }

  obey(order: MuxerOrder): void {
    if (order.type === 'write' && this.#phase === 'waiting') this.#begin();
    if (order.type === 'flush') this.#flush();
    if (order.type === 'finish') this.#finish();
  }

  /** Whoever comes next finds what can be made durable now. */
  async leave(): Promise<void> {
    const isWriting = this.#phase === 'recording' || this.#phase === 'flushing';
    this.#waiting?.close();
    this.#source?.close();
    if (this.#phase === 'recording') this.#muxer?.flush();
    this.#phase = 'over';
    if (isWriting) await this.#files?.close(LEAVE_MS);
  }

  /** To be called several times a second. */
  tick(): void {
    // Without a receiver time stands still for the muxer; what it has is to be durable all the same.
    const isSilent = this.#options.now() - this.#heardAtMs > SILENT_MS;
    if (this.#phase === 'recording' && isSilent) this.#muxer?.flush();
  }

  get progress(): RecordingProgress {
    const muxer = this.#muxer;
    const files = this.#files;
    if (muxer === undefined || files === undefined) return NO_PROGRESS;
    const { durableMs, bytes, spoolBytes, gaps, completed, hindrance } = files.progress();
    const { startedAtMs } = muxer;
    return {
      state: this.#state,
      ...(startedAtMs === undefined ? {} : { startedAtMs }),
      durableMs: Math.round(durableMs),
      receivedMs: Math.round(Math.max(durableMs, muxer.endMs)),
      ...{ bytes, spoolBytes, gaps, files: completed },
      ...(hindrance === undefined ? {} : { message: hindrance }),
    };
  }

  get #state(): 'starting' | 'recording' | 'finishing' {
    if (this.#phase === 'finishing' || this.#phase === 'over') return 'finishing';
    // To be known by what it has told, and not before: a supervisor that wants it flushed waits for that.
    const caughtUp = this.#options.now() - this.#connectedAtMs > CAUGHT_UP_MS;
    const hasMedia = this.#appended || (this.#files?.recovered?.state !== undefined && caughtUp);
    return hasMedia ? 'recording' : 'starting';
  }

  #begin(): void {
    this.#phase = 'opening';
    this.#waiting?.close();
    this.#waiting = undefined;
    this.#open().catch((error: unknown) => this.#fail(error));
  }

  async #open(): Promise<void> {
    const { spec, epoch, socketPath } = this.#start;
    const { objects, spoolDirectory, log } = this.#options;
    const files = await Files.open({
      ...{ objects, spoolDirectory, spec, epoch, log },
      onDurable: (atMs) => this.#source?.request({ type: 'durable', atMs }),
      onFlush: (ms) => this.#effort.add({ flushesMs: [Math.round(ms)], errors: 0 }),
      onFailed: (error) => this.#fail(error),
    });
    if (this.#phase !== 'opening') {
      await files.close(0);
      return;
    }
    const resume = resumedFrom(files, log);
    this.#files = files;
    this.#muxer = new Muxer({
      limits: spec.limits,
      ...(resume && { resume }),
      sink: {
        get isFull() {
          return files.isFull;
        },
        append: (chunk, replayFromAtMs) => {
          const isTaken = files.append(chunk, replayFromAtMs);
          if (isTaken && !this.#appended) {
            this.#appended = true;
            this.tellProgress();
          }
          return isTaken;
        },
        roll: (durationMs) => files.roll(durationMs),
        request: (request) => this.#source?.request(request),
        limit: () => this.#limit(),
      },
    });
    log.info(
      { file: resume === undefined ? 'new' : 'resumed', endMs: files.recovered?.endMs },
      'muxer writes',
    );
    this.#phase = 'recording';
    this.#connectedAtMs = this.#options.now();
    this.#source = new SourceConnection({
      socketPath,
      onEvent: (event) => this.#take(event),
      onLost: (reason) => this.#lost(reason),
    });
    this.tellProgress();
    if (this.#flushWanted) this.#flush();
  }

  #take(event: SourceEvent): void {
    if (this.#phase !== 'recording') return;
    this.#heardAtMs = this.#options.now();
    if (this.#poison.isIn(event)) {
      this.#options.log.error({ event: event.type, atMs: event.atMs }, 'left out: muxers died of it');
      return;
    }
    try {
      this.#muxer?.take(event);
    } catch (error) {
      this.#fail(error, this.#poison.fatal(event));
    }
  }

  #lost(reason: string): void {
    if (this.#phase !== 'recording') return;
    this.#options.log.debug({ reason }, 'no receiver');
    this.#muxer?.flush();
  }

  #limit(): void {
    this.#source?.close();
    this.#options.tell({ type: 'limit' });
  }

  #flush(): void {
    if (this.#phase === 'waiting') {
      // The file is its predecessor's: nothing of it is here.
      this.#options.tell({ type: 'flushed' });
      return;
    }
    if (this.#phase === 'opening') this.#flushWanted = true;
    if (this.#phase !== 'recording' && this.#phase !== 'flushing') return;
    this.#source?.close();
    if (this.#phase === 'recording') this.#muxer?.flush();
    this.#phase = 'flushing';
    this.#makeDurable().catch((error: unknown) => this.#fail(error));
  }

  async #makeDurable(): Promise<void> {
    while (this.#phase === 'flushing') {
      if (!(await this.#files?.flush(FLUSH_MS))) continue;
      this.#options.tell({ type: 'flushed' });
      return;
    }
  }

  #finish(): void {
    if (this.#phase === 'finishing' || this.#phase === 'over') return;
    const hadFiles = this.#files !== undefined;
    this.#source?.close();
    if (hadFiles) this.#muxer?.end();
    this.#phase = 'finishing';
    this.tellProgress();
    this.#complete().catch((error: unknown) => this.#fail(error));
  }

  async #complete(): Promise<void> {
    const { spec, epoch } = this.#start;
    const { objects, spoolDirectory, log, tell } = this.#options;
    const files = this.#files
      ? await this.#files.finish()
      : await finishFiles({ objects, spoolDirectory, spec, epoch, log });
    const described = await describedFiles(objects, files);
    this.#phase = 'over';
    tell({ type: 'finished', files, ...described });
  }

  #fail(error: unknown, fatal?: FatalEvent): void {
    if (this.#phase === 'over') return;
    this.#phase = 'over';
    this.#waiting?.close();
    this.#source?.close();
    this.#options.log.warn({ err: error }, 'the muxer cannot go on');
    const message = error instanceof Error ? error.message : String(error);
    const again = !(error instanceof MillraceError) || error.errorName === 'storage_unavailable';
    this.#options.tell({ type: 'failed', message, again, ...(fatal && { fatal }) });
  }

  /** To be called at least every `SIGN_OF_LIFE_MS`. */
  tellProgress(): void {
    const errors = this.#files?.progress().storageErrors ?? 0;
    this.#effort.add({ flushesMs: [], errors: Math.max(0, errors - this.#errorsTold) });
    this.#errorsTold = errors;
    this.#options.tell({ type: 'progress', progress: this.progress, storage: this.#effort.take() });
  }
}

/** What a version left that this one does not understand is whole as it is, and the next file begins. */
function resumedFrom(files: Files, log: Logger): Resumed | undefined {
  const { state, nextOffset, endMs } = files.recovered ?? {};
  if (state === undefined || nextOffset === undefined) return undefined;
  const timeline = parseTimelineState(state.timeline);
  if (timeline !== undefined) return { tracks: state.tracks, timeline, offset: nextOffset };
  log.warn('the file was left by another version; the recording goes on in the next one');
  files.roll(endMs ?? 0);
  return undefined;
}
