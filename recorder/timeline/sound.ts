import type { GapReason } from '../../core/recording/recording.ts';
import type { Frame } from '../frame.ts';
import type { Emit } from './block.ts';
import type { EncodingClock } from './encoding-clock.ts';
import type { GapLog } from './gap-log.ts';
import { SAMPLES_A_MS, SHORTEST_SILENCE_SAMPLES, silenceWithin } from './silence.ts';

export interface SoundState {
  /** Where the sound ends, in samples of the file; undefined while the file has no sound. */
  readonly end?: number | undefined;
  /** Where the silence at its end begins. */
  readonly quietFrom?: number | undefined;
  readonly muted: boolean;
  readonly cause?: GapReason | undefined;
}

/** What a packet lasts that does not say so. */
const USUAL_SAMPLES = 960;

/** The file's sound: packets one behind the other, and silence wherever there are none. */
export class Sound {
  readonly #emit: Emit;
  readonly #gaps: GapLog;
  #end: number | undefined;
  #quietFrom: number | undefined;
  /** The last packet came over another connection to the receiver, and none has been met on this one. */
  #unmet: boolean;
  #muted: boolean;
  #cause: GapReason | undefined;

  constructor(emit: Emit, gaps: GapLog, state: SoundState = { muted: false }) {
    this.#emit = emit;
    this.#gaps = gaps;
    this.#end = state.end;
    this.#quietFrom = state.quietFrom;
    this.#unmet = hasPackets(state);
    this.#muted = state.muted;
    this.#cause = state.cause;
  }

  get state(): SoundState {
    return { end: this.#end, quietFrom: this.#quietFrom, muted: this.#muted, cause: this.#cause };
  }

  /** undefined while the file has no sound. */
  get endMs(): number | undefined {
    return this.#end === undefined ? undefined : this.#end / SAMPLES_A_MS;
  }

  /** The file is to have sound from here on. */
  begin(ms: number): void {
    this.#end ??= Math.round(ms * SAMPLES_A_MS);
  }

  /** What is missing up to the next packet was muted. */
  mute(): void {
    this.#muted = true;
  }

  /** What is missing up to the next packet is missing for this reason. */
  blame(cause: GapReason | undefined): void {
    this.#cause = cause;
  }

  /** Packets come anew, some of them again perhaps. */
  interrupt(): void {
    this.#unmet = hasPackets(this.state);
  }

  /** Puts a packet where its clock says, silence in front of it if need be; one that came too late is dropped. */
  place(frame: Frame, clock: EncodingClock, rtp: number): void {
    if (clock.baseMs === undefined) return;
    const at = Math.round((clock.baseMs + clock.ms(rtp)) * SAMPLES_A_MS);
    if (this.#end === undefined) this.#end = Math.max(0, at);
    if (this.#end - at >= SHORTEST_SILENCE_SAMPLES) {
      this.#unmet = false;
      this.#muted = false;
      return;
    }
    this.#account(at, frame.afterLoss);
    this.#silence(at, frame.atMs);
    this.#emit({
      kind: 'audio',
      codec: 'opus',
      timeMs: Math.max(0, Math.round(at / SAMPLES_A_MS)),
      keyFrame: true,
      data: frame.data,
      atMs: frame.atMs,
    });
    this.#end = at + (frame.duration ?? USUAL_SAMPLES);
  }

  /** Silence up to here, where nothing else is to be expected. */
  fill(toMs: number, atMs: number): void {
    const to = Math.floor(toMs * SAMPLES_A_MS);
    if (this.#end === undefined || to - this.#end < USUAL_SAMPLES) return;
    this.#quietFrom ??= this.#end;
    this.#silence(this.#end + Math.floor((to - this.#end) / USUAL_SAMPLES) * USUAL_SAMPLES, atMs);
  }

  /** What was put behind `state` has not become part of the file. */
  rollBack({ end, quietFrom }: SoundState): void {
    this.#end = end;
    this.#quietFrom = quietFrom;
  }

  rebase(byMs: number): void {
    const by = byMs * SAMPLES_A_MS;
    if (this.#end !== undefined) this.#end += by;
    if (this.#quietFrom !== undefined) this.#quietFrom += by;
  }

  #account(at: number, afterLoss: boolean): void {
    const from = this.#quietFrom ?? this.#end ?? at;
    const lost = this.#unmet ? 'recorder_lost' : afterLoss ? 'loss' : undefined;
    const reason = this.#cause ?? (this.#muted ? undefined : lost);
    if (reason !== undefined) this.#gaps.add('audio', from / SAMPLES_A_MS, at / SAMPLES_A_MS, reason);
    this.#quietFrom = undefined;
    this.#unmet = false;
    this.#cause = undefined;
    this.#muted = false;
  }

  #silence(to: number, atMs: number): void {
    for (;;) {
      const end = this.#end ?? to;
      const next = silenceWithin(to - end);
      if (next === undefined) return;
      const timeMs = Math.max(0, Math.round(end / SAMPLES_A_MS));
      this.#emit({ kind: 'audio', codec: 'opus', timeMs, keyFrame: true, data: next.data, atMs });
      this.#end = end + next.samples;
    }
  }
}

/** Not only silence from the start. */
function hasPackets({ end, quietFrom }: SoundState): boolean {
  return end !== undefined && end > 0 && quietFrom !== 0;
}
