import type { Codec } from '../../core/channel/media.ts';
import type { GapReason } from '../../core/recording/recording.ts';
import type { Frame } from '../frame.ts';
import type { Emit } from './block.ts';
import type { EncodingClock } from './encoding-clock.ts';
import type { GapLog } from './gap-log.ts';

export interface PictureState {
  /** Time and timestamp of the last frame; undefined while the file has no picture. */
  readonly lastMs?: number | undefined;
  readonly lastRtp?: number | undefined;
  readonly intervalMs: number;
  readonly broken: boolean;
  readonly muted: boolean;
  readonly cause?: GapReason | undefined;
}

/** What the last frame is taken to last while there is no other to compare with. */
const USUAL_INTERVAL_MS = 33;
const LONGEST_INTERVAL_MS = 200;
/** A key frame of another encoding may be so much older than the last frame, and is shown late then. */
const ENCODINGS_APART_MS = 500;

/** The file's picture: frames in the order of decoding; where some are missing, the next one is a key frame. */
export class Picture {
  readonly #emit: Emit;
  readonly #gaps: GapLog;
  #lastMs: number | undefined;
  #lastRtp: number | undefined;
  #intervalMs: number;
  /** Something is missing behind the last frame, so that only a key frame may follow. */
  #broken: boolean;
  /** The last frame came over another connection to the receiver, and has not been met on this one. */
  #unmet: boolean;
  #muted: boolean;
  #cause: GapReason | undefined;

  constructor(emit: Emit, gaps: GapLog, state?: PictureState) {
    this.#emit = emit;
    this.#gaps = gaps;
    this.#lastMs = state?.lastMs;
    this.#lastRtp = state?.lastRtp;
    this.#intervalMs = state?.intervalMs ?? USUAL_INTERVAL_MS;
    this.#broken = state?.broken ?? true;
    this.#unmet = state?.lastMs !== undefined;
    this.#muted = state?.muted ?? false;
    this.#cause = state?.cause;
  }

  get state(): PictureState {
    return {
      lastMs: this.#lastMs,
      lastRtp: this.#lastRtp,
      intervalMs: this.#intervalMs,
      broken: this.#broken,
      muted: this.#muted,
      cause: this.#cause,
    };
  }

  /** Time of the last frame; undefined while the file has no picture. */
  get lastMs(): number | undefined {
    return this.#lastMs;
  }

  get endMs(): number | undefined {
    return this.#lastMs === undefined ? undefined : this.#lastMs + this.#intervalMs;
  }

  /** Whether only a key frame can follow. */
  get needsKeyFrame(): boolean {
    return this.#broken || this.#unmet;
  }

  /** What is missing up to the next frame was muted. */
  mute(): void {
    this.#muted = true;
  }

  /** What is missing up to the next frame, a key frame, is missing for this reason. */
  break(cause: GapReason | undefined): void {
    this.#cause = cause;
    this.#broken = true;
  }

  /** A frame is left out: only a key frame can follow. */
  drop(): void {
    this.#broken = true;
  }

  /** Frames come anew, some of them again perhaps. */
  interrupt(): void {
    this.#unmet = this.#lastMs !== undefined;
  }

  /** Timestamps count from elsewhere: back from here, frames were taken for old ones and refused. */
  recount(rtp: number): void {
    if (this.#lastRtp !== undefined && rtp <= this.#lastRtp) this.break('loss');
    this.#lastRtp = undefined;
  }

  /** Whether a frame is the file's already, or cannot follow what is there. @param sameClock as the last frame */
  refuses(frame: Frame, rtp: number, sameClock: boolean): boolean {
    if (sameClock && this.#lastRtp !== undefined && rtp <= this.#lastRtp) {
      if (rtp === this.#lastRtp) this.#unmet = false;
      this.#muted = false;
      return true;
    }
    return !frame.keyFrame && (this.#broken || this.#unmet || !sameClock);
  }

  /** Milliseconds of the frame's own clock since the last frame. */
  elapsedMs(clock: EncodingClock, rtp: number): number {
    return this.#lastRtp === undefined ? 0 : clock.ms(rtp - this.#lastRtp);
  }

  /** Puts a frame that is not refused where its clock says. @returns whether it is part of the file */
  place(frame: Frame, codec: Codec, clock: EncodingClock, rtp: number): boolean {
    if (clock.baseMs === undefined) return false;
    const wantedMs = Math.round(clock.baseMs + clock.ms(rtp));
    const earliestMs = this.#lastMs === undefined ? 0 : this.#lastMs + 1;
    if (this.#unmet && wantedMs < earliestMs) return false;
    if (this.#broken && earliestMs - wantedMs > ENCODINGS_APART_MS) return false;
    const timeMs = Math.max(wantedMs, earliestMs);
    this.#account(timeMs, frame.afterLoss);
    const { data, keyFrame, size, codecPrivate, atMs } = frame;
    this.#emit({ kind: 'video', codec, timeMs, keyFrame, data, size, codecPrivate, atMs });
    this.#lastMs = timeMs;
    this.#lastRtp = rtp;
    this.#broken = false;
    this.#unmet = false;
    return true;
  }

  /** What was put behind `state` has not become part of the file. */
  rollBack({ lastMs, intervalMs }: PictureState): void {
    this.#lastMs = lastMs;
    this.#intervalMs = intervalMs;
  }

  rebase(byMs: number): void {
    if (this.#lastMs !== undefined) this.#lastMs += byMs;
  }

  #account(timeMs: number, afterLoss: boolean): void {
    if (this.#lastMs !== undefined) {
      const lost = this.#unmet ? 'recorder_lost' : afterLoss ? 'loss' : undefined;
      const reason = this.#cause ?? (this.#muted ? undefined : lost);
      const intervalMs = timeMs - this.#lastMs;
      if (reason !== undefined) this.#gaps.add('video', this.#lastMs, timeMs, reason);
      else if (intervalMs <= LONGEST_INTERVAL_MS) this.#intervalMs = intervalMs;
    }
    this.#cause = undefined;
    this.#muted = false;
  }
}
