import assert from 'node:assert/strict';
import type { RecordingGap } from '../../../core/recording/recording.ts';
import type { TimedBlock } from '../block.ts';
import { parseTimelineState, type TimelineState } from '../state.ts';
import { Timeline } from '../timeline.ts';
import { capturedMs, play, type Step } from './publisher.ts';

export const UNIX_MS = Date.UTC(2026, 0, 1);
export const MAX_AWAY_MS = 60_000;

/** What a timeline made of what happened. */
export class Recorded {
  readonly blocks: TimedBlock[] = [];
  timeline: Timeline;
  #gaps: readonly RecordingGap[] = [];

  constructor(resume?: TimelineState) {
    this.timeline = this.#timeline(resume);
  }

  /** @param receiver with a clock of its own, which was `atMs` at `unixMs` */
  hello(receiver = 'receiver', unixMs = UNIX_MS, atMs = 0): this {
    this.timeline.hello(receiver, unixMs, atMs);
    return this;
  }

  play(...lists: readonly (readonly Step[])[]): this {
    for (const steps of lists) play(this.timeline, steps);
    return this;
  }

  /** Another muxer goes on from what is kept in storage. */
  resume(): this {
    this.#gaps = [...this.#gaps, ...this.timeline.takeGaps()];
    this.timeline = this.#timeline(parseTimelineState(JSON.parse(JSON.stringify(this.timeline.state))));
    return this;
  }

  #timeline(resume: TimelineState | undefined): Timeline {
    const emit = (block: TimedBlock) => this.blocks.push(block);
    return new Timeline({ emit, maxAwayMs: MAX_AWAY_MS, ...(resume === undefined ? {} : { resume }) });
  }

  /** Ends the timeline. */
  end(): readonly RecordingGap[] {
    this.#gaps = [...this.#gaps, ...this.timeline.end()];
    return this.#gaps;
  }

  get sound(): TimedBlock[] {
    return this.blocks.filter(({ kind }) => kind === 'audio');
  }

  get picture(): TimedBlock[] {
    return this.blocks.filter(({ kind }) => kind === 'video');
  }

  /** To be compared with what another one made. */
  get placed(): readonly string[] {
    const lineOf = ({ kind, timeMs, data }: TimedBlock) =>
      `${kind} ${timeMs} ${capturedMs(data) ?? 'silence'}`;
    return [...this.sound.map(lineOf), ...this.picture.map(lineOf)];
  }

  /** How long silence is in all. */
  get silentMs(): number {
    return this.sound.reduce((sum, { data }) => sum + (silenceMs(data) ?? 0), 0);
  }

  /** The largest difference between sound and picture of the same moment. @param counts by the time of capture */
  worstSkewMs(counts: (capturedMs: number) => boolean = () => true): number {
    const { sound } = this;
    let at = 0;
    let worst = 0;
    for (const { data, timeMs } of this.picture) {
      const captured = capturedMs(data) ?? 0;
      const isBefore = (block: TimedBlock | undefined) =>
        block !== undefined && (capturedMs(block.data) ?? 0) <= captured;
      while (at + 1 < sound.length && isBefore(sound[at + 1])) at += 1;
      const heard = sound[at];
      const heardMs = heard && capturedMs(heard.data);
      if (
        heard === undefined ||
        heardMs === undefined ||
        Math.abs(heardMs - captured) > 100 ||
        !counts(captured)
      )
        continue;
      worst = Math.max(worst, Math.abs(timeMs - captured - (heard.timeMs - heardMs)));
    }
    return worst;
  }

  /** The sound has no holes from beginning to end, and times of both kinds never go back. */
  assertSound(): void {
    const { sound, picture } = this;
    for (const [i, block] of sound.entries()) {
      const next = sound[i + 1];
      assert.ok(block.timeMs >= 0);
      if (next === undefined) break;
      const holeMs = next.timeMs - block.timeMs - (silenceMs(block.data) ?? 20);
      assert.ok(Math.abs(holeMs) <= 3.5, `${holeMs} ms between ${block.timeMs} and ${next.timeMs} ms`);
    }
    for (const [i, { timeMs }] of picture.entries())
      assert.ok(timeMs > (picture[i - 1]?.timeMs ?? -1), `${timeMs} ms after ${picture[i - 1]?.timeMs} ms`);
  }
}

function silenceMs(data: Uint8Array): number | undefined {
  return data.length === 3 ? { 248: 20, 240: 10, 232: 5, 224: 2.5 }[data[0] ?? 0] : undefined;
}

/** 0..1, the same for each seed. */
export function randomOf(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
