import type { GapReason, RecordingGap } from '../../core/recording/recording.ts';
import type { Frame, SenderReport } from '../frame.ts';
import type { SourceTrack } from '../source-event.ts';
import type { Emit } from './block.ts';
import { Clocks } from './clocks.ts';
import type { EncodingClock } from './encoding-clock.ts';
import { GapLog } from './gap-log.ts';
import { LongSilence } from './long-silence.ts';
import { Opening } from './opening.ts';
import { Picture } from './picture.ts';
import { Sound } from './sound.ts';
import { type Source, Sources } from './sources.ts';
import type { TimelineState } from './state.ts';

export interface TimelineOptions {
  /** Takes what becomes part of the file: sound in order, pictures in order, the two not in each other's. */
  readonly emit: Emit;
  /** What a predecessor left, to go on from. */
  readonly resume?: TimelineState;
  /** No publisher is away for longer, whatever the time of day says. */
  readonly maxAwayMs: number;
}

const NO_TRACK = -1;
/** How far the sound may stay behind the picture before it is taken to be silent: reordering, and a stall. */
const SOUND_LAG_MS = 1500;
/** The same where nothing but stragglers can come. */
const STRAGGLERS_MS = 600;
/** How long sound alone is dropped after a loss of the spool before it is tried to go on. */
const HELD_MS = 1000;

/** From frames and sender reports to blocks with file times; pure, its time is the receiver's `atMs`. */
export class Timeline {
  readonly #options: TimelineOptions;
  readonly #sources = new Sources();
  readonly #opening = new Opening();
  #clocks: Clocks;
  readonly #gaps: GapLog;
  readonly #sound: Sound;
  readonly #picture: Picture;
  #soundClock: EncodingClock | undefined;
  #pictureClock: EncodingClock | undefined;
  /** Of the picture's clock, as far as the picture knows. */
  #pictureSteps = 0;
  /** Tracks that sound and picture come from now. */
  #soundTrack: number;
  #pictureTrack: number;
  #receiver: string;
  #atMs: number;
  /** Time of day minus the receiver's time. */
  #unixOffsetMs: number;
  #startedAtMs: number | undefined;
  /** Length of the recording's earlier files. */
  #beforeMs: number;
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  readonly #longSilence: LongSilence;

  constructor(options: TimelineOptions) {
    this.#options = options;
    const state = options.resume;
    this.#receiver = state?.receiver ?? '';
    this.#atMs = state?.atMs ?? 0;
    this.#unixOffsetMs = state === undefined ? 0 : state.unixMs - state.atMs;
    this.#soundTrack = state?.soundTrack ?? NO_TRACK;
    this.#pictureTrack = state?.pictureTrack ?? NO_TRACK;
    this.#startedAtMs = state?.startedAtMs;
    this.#beforeMs = state?.beforeMs ?? 0;
    this.#clocks = new Clocks(state?.clocks);
    this.#gaps = new GapLog(state?.gaps);
    this.#sound = new Sound(options.emit, this.#gaps, state?.sound);
    this.#longSilence = new LongSilence(this.#sound);
    this.#picture = new Picture(options.emit, this.#gaps, state?.picture);
    this.#soundClock = state?.soundEncoding && this.#clocks.find(state.soundEncoding);
    this.#pictureClock = state?.pictureEncoding && this.#clocks.find(state.pictureEncoding);
  }

  /** For `resume`, once the file has begun. */
  get state(): TimelineState {
    const idOf = (clock: EncodingClock | undefined) =>
      clock && { producerId: clock.producerId, encoding: clock.encoding };
    return {
      receiver: this.#receiver,
      atMs: this.#atMs,
      unixMs: Math.round(this.#atMs + this.#unixOffsetMs),
      startedAtMs: this.#startedAtMs ?? 0,
      beforeMs: this.#beforeMs,
      clocks: this.#clocks.state,
      sound: this.#sound.state,
      soundEncoding: idOf(this.#soundClock),
      soundTrack: this.#soundTrack,
      picture: this.#picture.state,
      pictureEncoding: idOf(this.#pictureClock),
      pictureTrack: this.#pictureTrack,
      gaps: this.#gaps.open,
    };
  }

  /** Unix time of the file's time 0; undefined before the file begins. */
  get startedAtMs(): number | undefined {
    return this.#startedAtMs;
  }

  /** Length of the recording's earlier files. */
  get beforeMs(): number {
    return this.#beforeMs;
  }

  /** Length of the file. */
  get endMs(): number {
    return Math.max(0, this.#sound.endMs ?? 0, this.#picture.endMs ?? 0);
  }

  /** Whether pictures are to be had now. */
  get hasPicture(): boolean {
    return this.#sources.hasUnmuted('video');
  }

  /** Whether they are of no use until there is a key frame. */
  get needsKeyFrame(): boolean {
    return this.#picture.needsKeyFrame;
  }

  /** Each connection to a receiver begins with it, and then tells again of its tracks. */
  hello(receiver: string, unixMs: number, atMs: number): void {
    this.#sources.clear();
    this.#opening.clear();
    this.#longSilence.cancel();
    this.#sound.interrupt();
    this.#picture.interrupt();
    if (receiver !== this.#receiver) this.#changeReceiver(unixMs, atMs);
    this.#receiver = receiver;
    this.#unixOffsetMs = unixMs - atMs;
  }

  begin(track: SourceTrack, atMs: number): void {
    this.#pass(atMs);
    const source = this.#sources.begin(track);
    if (source.muted) this.#mute(source);
  }

  muted(track: number, muted: boolean, atMs: number): void {
    this.#pass(atMs);
    const source = this.#sources.find(track);
    if (source === undefined) return;
    source.muted = muted;
    if (muted) this.#mute(source);
    this.#open(atMs);
  }

  ended(track: number, atMs: number): void {
    this.#pass(atMs);
    this.#sources.end(track);
    if (track === this.#soundTrack) this.#sound.blame('publisher_away');
    if (track === this.#pictureTrack) this.#picture.break('publisher_away');
    this.#open(atMs);
  }

  report(report: SenderReport): void {
    this.#pass(report.atMs);
    const source = this.#sources.bySsrc(report.ssrc);
    if (source === undefined) return;
    const clock = this.#clockOf(source, report.ssrc);
    if (!this.#clocks.reported(clock, report)) return;
    if (source.kind === 'audio') this.#pictureClock?.compare(clock);
    else if (this.#soundClock !== undefined) clock.compare(this.#soundClock);
  }

  tick(atMs: number): void {
    if (atMs < this.#atMs) return;
    this.#pass(atMs);
    this.#open(atMs);
    this.#fillQuiet();
  }

  frame(frame: Frame): void {
    this.#pass(frame.atMs);
    const source = this.#sources.find(frame.track);
    if (source === undefined) return;
    if (this.#startedAtMs !== undefined) {
      this.#take(frame, source);
      return;
    }
    const clock = this.#clockOf(source, frame.ssrc);
    clock.arrived(clock.unwrap(frame.rtpTimestamp), frame.atMs);
    this.#opening.keep(frame);
    this.#open(frame.atMs);
  }

  /** Gaps that are over by now, once. */
  takeGaps(): readonly RecordingGap[] {
    return this.#gaps.take(this.endMs);
  }

  /** Nothing more comes: the sound ends where the picture does. @returns gaps not taken before */
  end(): readonly RecordingGap[] {
    this.#sound.fill(this.#picture.endMs ?? 0, this.#atMs);
    return this.#gaps.take(Number.POSITIVE_INFINITY);
  }

  /** What was emitted since `kept` was the state is lost; what comes next is put behind that. */
  lose(kept: TimelineState, reason: GapReason): void {
    this.#sound.rollBack(kept.sound);
    this.#picture.rollBack(kept.picture);
    this.#sound.blame(reason);
    this.#picture.break(reason);
    this.#heldUntilMs = this.#atMs + HELD_MS;
    this.#longSilence.cancel();
  }

  /** A new file begins at this time of the old one, which becomes its time 0. */
  rebase(fromMs: number): void {
    this.#beforeMs += fromMs;
    this.#longSilence.cancel();
    this.#clocks.rebase(-fromMs);
    this.#sound.rebase(-fromMs);
    this.#picture.rebase(-fromMs);
    if (this.#startedAtMs !== undefined) this.#startedAtMs += fromMs;
  }

  get #master(): EncodingClock | undefined {
    const candidates = [this.#soundClock, this.#pictureClock];
    return candidates.find((clock) => clock?.baseMs !== undefined && clock.arrivalMs !== undefined);
  }

  #clockOf(source: Source, ssrc: number): EncodingClock {
    const encoding = Math.max(0, source.ssrcs.indexOf(ssrc));
    return this.#clocks.use({ producerId: source.producerId, encoding }, source.clockRateHz);
  }

  #take(frame: Frame, source: Source): void {
    const clock = this.#clockOf(source, frame.ssrc);
    const rtp = clock.unwrap(frame.rtpTimestamp);
    this.#clocks.catchJump(clock, rtp, frame.atMs);
    clock.arrived(rtp, frame.atMs);
    if (frame.kind === 'audio') this.#takeSound(frame, source, clock, rtp);
    else this.#takePicture(frame, source, clock, rtp);
    if (clock === this.#master) this.#clocks.follow(clock);
  }

  #takeSound(frame: Frame, source: Source, clock: EncodingClock, rtp: number): void {
    if (source.track < this.#soundTrack || frame.atMs < this.#heldUntilMs) return;
    if (clock !== this.#soundClock) {
      this.#clocks.place(clock, this.#master);
      if (this.#soundTrack !== NO_TRACK) this.#sound.blame('publisher_away');
    } else if (source.track > this.#soundTrack && this.#soundTrack !== NO_TRACK) this.#sound.blame('loss');
    if (this.#isTooFar(clock, rtp)) return;
    this.#soundTrack = source.track;
    this.#soundClock = clock;
    this.#sound.place(frame, clock, rtp);
  }

  #takePicture(frame: Frame, source: Source, clock: EncodingClock, rtp: number): void {
    if (source.track < this.#pictureTrack) return;
    const sameClock = clock === this.#pictureClock;
    if (sameClock && clock.steps !== this.#pictureSteps) this.#picture.recount(rtp);
    if (sameClock) this.#pictureSteps = clock.steps;
    if (this.#picture.refuses(frame, rtp, sameClock)) return;
    const { baseMs } = clock;
    if (sameClock) this.#clocks.slew(clock, this.#master, this.#picture.elapsedMs(clock, rtp));
    else this.#clocks.place(clock, this.#master);
    if (this.#isTooFar(clock, rtp)) {
      this.#picture.drop();
      return;
    }
    if (!this.#picture.place(frame, source.codec, clock, rtp)) {
      clock.baseMs = baseMs;
      return;
    }
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    this.#pictureTrack = source.track;
    this.#pictureClock = clock;
    this.#pictureSteps = clock.steps;
  }

  /** Its clocks are others; the time of day, not earlier than it was, is what they have in common. */
  #changeReceiver(unixMs: number, atMs: number): void {
    if (this.#startedAtMs === undefined) this.#clocks = new Clocks();
    else {
      const awayMs = Math.max(0, unixMs - (this.#atMs + this.#unixOffsetMs));
      this.#clocks.changeReceiver(this.endMs + Math.min(awayMs, this.#options.maxAwayMs), atMs);
    }
    this.#soundTrack = NO_TRACK;
    this.#pictureTrack = NO_TRACK;
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    this.#atMs = atMs;
  }

  #mute(source: Source): void {
    if (source.kind === 'audio' && source.track >= this.#soundTrack) this.#sound.mute();
    if (source.kind === 'video' && source.track >= this.#pictureTrack) this.#picture.mute();
  }

  /** Events that another muxer of this receiver has seen change nothing. */
  #pass(atMs: number): void {
    this.#atMs = Math.max(this.#atMs, atMs);
  }

  /** Begins the file when there is what it is to begin with. */
  #open(atMs: number): void {
    if (this.#startedAtMs !== undefined) return;
    const frames = this.#opening.take(atMs, this.hasPicture);
    const [first] = frames;
    const source = first && this.#sources.find(first.track);
    if (first === undefined || source === undefined) return;
    const clock = this.#clockOf(source, first.ssrc);
    this.#clocks.begin(clock, clock.unwrap(first.rtpTimestamp));
    if (first.kind === 'video') this.#pictureClock = clock;
    else this.#soundClock = clock;
    this.#startedAtMs = Math.round(first.atMs + this.#unixOffsetMs);
    if (this.#sources.has('audio')) this.#sound.begin(0);
    for (const frame of frames) this.frame(frame);
  }

  /** Puts silence where no sound can come any more, so that the file's sound keeps up. */
  #fillQuiet(): void {
    if (this.#startedAtMs === undefined || this.#heldUntilMs > this.#atMs) return;
    if (this.#longSilence.fillOn(this.#atMs)) return;
    const { lastMs } = this.#picture;
    if (this.#sources.hasUnmuted('audio')) {
      if (lastMs !== undefined) this.#sound.fill(lastMs - SOUND_LAG_MS, this.#atMs);
      return;
    }
    if (lastMs !== undefined) this.#sound.fill(lastMs - STRAGGLERS_MS, this.#atMs);
    const expectedMs = this.#sources.has('audio') ? this.#clocks.expectedMs(this.#atMs) : undefined;
    if (expectedMs === undefined || this.#longSilence.isBefore(expectedMs)) return;
    this.#sound.fill(expectedMs - STRAGGLERS_MS, this.#atMs);
  }

  /** Whether so much silence is to come before it that it cannot be part of the file. */
  #isTooFar(clock: EncodingClock, rtp: number): boolean {
    return clock.baseMs !== undefined && this.#longSilence.isBefore(clock.baseMs + clock.ms(rtp));
  }
}
