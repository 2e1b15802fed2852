import type { RecordingGap, RecordingLimits } from '../../core/recording/recording.ts';
import type { Chunk, FileTrack } from '../chunk.ts';
import type { Frame } from '../frame.ts';
import type { MuxerRequest, SourceEvent } from '../source-event.ts';
import { type TimedBlock, Timeline, type TimelineState } from '../timeline/index.ts';
import { type FilePosition, FileWriter, NEW_FILE } from './file-writer.ts';
import { KeyFramePace } from './key-frame-pace.ts';
import { Readers } from './readers.ts';
import { RollOver } from './roll-over.ts';

export interface MuxerOptions {
  readonly limits: Pick<RecordingLimits, 'flushIntervalMs' | 'maxDurationMs' | 'resumeMs'>;
  /** The file to go on with. */
  readonly resume?: Resumed;
  readonly sink: MuxerSink;
}

/** What a predecessor left of a file. */
export interface Resumed {
  readonly tracks: readonly FileTrack[];
  readonly timeline: TimelineState;
  readonly offset: number;
}

export interface MuxerSink {
  /** The file is to end at the next key frame. */
  readonly isFull: boolean;
  /**
   * @param replayFromAtMs what a successor would need to go on behind this chunk without a gap
   * @returns false when there is no room: the chunk is not part of the file
   */
  append(chunk: Chunk, replayFromAtMs: number): boolean;
  /** The file has all that it is to have; the next chunk begins the next file. @param durationMs of the file */
  roll(durationMs: number): void;
  request(request: MuxerRequest): void;
  /** The longest duration is reached, and all of it has been appended. */
  limit(): void;
}

/** Ticks come that often: what is due until the next one is due now. */
const TICK_MS = 100;
const FIRST_FLUSH_MS = TICK_MS;
/** What a reader holds back for missing packets may lie that far behind what it has given. */
const READER_LAG_MS = 1000;
/** A successor without a key frame needs one anyway; so old a one need not be kept for it. */
const MAX_REPLAY_MS = 30_000;
const REQUEST_INTERVAL_MS = 1000;

interface Kept {
  readonly timeline: TimelineState;
  readonly position: FilePosition;
}

/** Source events in; chunks of files, and requests to the receiver, out. Its time is the receiver's. */
export class Muxer {
  readonly #options: MuxerOptions;
  readonly #readers = new Readers();
  readonly #timeline: Timeline;
  readonly #pace = new KeyFramePace();
  #writer: FileWriter;
  #rollOver: RollOver | undefined;
  /** As of the last chunk that was appended. */
  #kept: Kept;
  /** Of chunks that were not. */
  #lostGaps: readonly RecordingGap[] = [];
  #keyFrameAtMs: number | undefined;
  #requestedAtMs = Number.NEGATIVE_INFINITY;
  #atMs = 0;
  #limited = false;

  constructor(options: MuxerOptions) {
    const { resume, limits } = options;
    this.#options = options;
    this.#timeline = new Timeline({
      emit: (block) => this.#add(block),
      maxAwayMs: limits.resumeMs + MAX_REPLAY_MS,
      ...(resume && { resume: resume.timeline }),
    });
    const position = resume ?? NEW_FILE;
    this.#writer = new FileWriter(position);
    this.#kept = { timeline: this.#timeline.state, position };
  }

  /** Unix time at which the recording began; undefined before there is media. */
  get startedAtMs(): number | undefined {
    const { startedAtMs, beforeMs } = this.#timeline;
    return startedAtMs === undefined ? undefined : startedAtMs - beforeMs;
  }

  /** Length of the recording with what is in no chunk yet. */
  get endMs(): number {
    return this.#timeline.beforeMs + this.#timeline.endMs;
  }

  /** Length of the recording's files before the one that is written. */
  get beforeMs(): number {
    return this.#timeline.beforeMs;
  }

  take(event: SourceEvent): void {
    if (this.#limited) return;
    this.#atMs = event.atMs;
    switch (event.type) {
      case 'hello':
        this.#readers.clear();
        this.#timeline.hello(event.receiver, event.unixMs, event.atMs);
        break;
      case 'track':
        if (this.#readers.begin(event)) this.#timeline.begin(event, event.atMs);
        break;
      case 'rtp':
        this.#place(this.#readers.packet(event));
        break;
      case 'rtcp':
        for (const report of this.#readers.reports(event)) this.#timeline.report(report);
        break;
      case 'muted':
        this.#place(this.#readers.mute(event.track, event.muted, event.atMs));
        this.#timeline.muted(event.track, event.muted, event.atMs);
        break;
      case 'ended':
        this.#place(this.#readers.end(event.track, event.atMs));
        this.#timeline.ended(event.track, event.atMs);
        break;
      case 'tick':
        this.#place(this.#readers.tick(event.atMs));
        this.#timeline.tick(event.atMs);
        this.#requestKeyFrames(event.atMs);
        break;
    }
    this.#flushDue();
  }

  /** Makes a chunk of all there is. */
  flush(): void {
    if (this.#rollOver !== undefined) this.#roll(this.#rollOver);
    this.#write(this.#timeline.takeGaps());
  }

  /** Nothing more comes. */
  end(): void {
    if (this.#rollOver !== undefined) this.#roll(this.#rollOver);
    this.#place(this.#readers.drain(this.#atMs));
    const gaps = this.#timeline.startedAtMs === undefined ? [] : this.#timeline.end();
    this.#write(gaps);
  }

  #place(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (frame.kind === 'video' && frame.keyFrame) {
        this.#keyFrameAtMs = frame.atMs;
        this.#pace.came(frame.atMs);
      }
      this.#timeline.frame(frame);
    }
  }

  #add(block: TimedBlock): void {
    if (this.#limited) return;
    if (this.#timeline.beforeMs + block.timeMs >= this.#options.limits.maxDurationMs) {
      this.#limited = true;
      return;
    }
    if (this.#rollOver === undefined && this.#mustRoll(block)) {
      this.#rollOver = new RollOver(block, this.#timeline.state, this.#writer.position.tracks);
    }
    if (this.#rollOver?.takes(block)) this.#rollOver.add(block, () => this.#timeline.state);
    else this.#writer.add(block);
  }

  /** A file can end in front of a key frame; one without a picture anywhere. */
  #mustRoll(block: TimedBlock): boolean {
    if (!this.#writer.holds(block)) return true;
    const hasPicture = this.#writer.position.tracks.some(({ kind }) => kind === 'video');
    const canEnd = block.kind === 'video' ? block.keyFrame : !hasPicture;
    return canEnd && this.#options.sink.isFull;
  }

  #flushDue(): void {
    if (this.#limited) {
      this.flush();
      this.#options.sink.limit();
      return;
    }
    const rollOver = this.#rollOver;
    if (rollOver !== undefined) {
      if (rollOver.isReady(this.#atMs)) this.#roll(rollOver);
      return;
    }
    const dueAtMs = this.#writer.oldestAtMs + this.#flushIntervalMs - TICK_MS;
    if (this.#atMs >= dueAtMs || this.#writer.isFull) this.#write(this.#timeline.takeGaps());
  }

  /** Somebody waits to hear that a recording has begun. */
  get #flushIntervalMs(): number {
    const { flushIntervalMs } = this.#options.limits;
    return this.#writer.position.offset === 0 ? Math.min(FIRST_FLUSH_MS, flushIntervalMs) : flushIntervalMs;
  }

  #write(gaps: readonly RecordingGap[], state = this.#timeline.state, endMs = this.#timeline.endMs): boolean {
    const allGaps = [...this.#lostGaps, ...gaps];
    const chunk = this.#writer.chunk(state, Math.round(endMs), allGaps);
    if (chunk === undefined) {
      this.#lostGaps = allGaps;
      return true;
    }
    if (this.#options.sink.append(chunk, this.#replayFromAtMs())) {
      this.#kept = { timeline: state, position: this.#writer.position };
      this.#lostGaps = [];
      return true;
    }
    this.#writer.rollBack(this.#kept.position);
    this.#timeline.lose(this.#kept.timeline, 'spool_full');
    this.#lostGaps = allGaps;
    return false;
  }

  #roll(rollOver: RollOver): void {
    this.#rollOver = undefined;
    const { atMs: cutMs, blocks } = rollOver;
    const gaps = this.#timeline.takeGaps();
    // Without room for the old file's end there is none for a new file: on with the old one, later.
    if (!this.#write(gaps, rollOver.stateBefore(this.#timeline.state), cutMs)) return;
    this.#options.sink.roll(cutMs);
    this.#timeline.rebase(cutMs);
    this.#writer = new FileWriter(NEW_FILE);
    for (const block of blocks) this.#writer.add({ ...block, timeMs: block.timeMs - cutMs });
    const { sound, picture, ...timeline } = this.#timeline.state;
    const nothing = { sound: { ...sound, end: 0 }, picture: { ...picture, lastMs: undefined } };
    this.#kept = { timeline: { ...timeline, ...nothing }, position: NEW_FILE };
  }

  #requestKeyFrames(atMs: number): void {
    const due = new Set(this.#readers.starving(atMs));
    const picture = this.#readers.picture;
    if (picture !== undefined && this.#wantsKeyFrame(atMs)) due.add(picture);
    if (due.size > 0) this.#requestedAtMs = atMs;
    for (const track of due) this.#options.sink.request({ type: 'key-frame', track });
  }

  #wantsKeyFrame(atMs: number): boolean {
    if (!this.#timeline.hasPicture) return false;
    const missing = this.#timeline.needsKeyFrame && atMs - this.#requestedAtMs >= REQUEST_INTERVAL_MS;
    return missing || this.#pace.isDue(atMs);
  }

  #replayFromAtMs(): number {
    const keyFrameAtMs = Math.max(this.#keyFrameAtMs ?? this.#atMs, this.#atMs - MAX_REPLAY_MS);
    return Math.min(keyFrameAtMs, this.#atMs) - READER_LAG_MS;
  }
}
