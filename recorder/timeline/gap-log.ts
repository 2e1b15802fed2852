import type { GapReason, RecordingGap } from '../../core/recording/recording.ts';

/** Shorter ones are heard and seen by nobody. */
const SHORTEST_MS = 60;
/** Those of one cause that follow each other within this are one. */
const JOINED_MS = 1000;

/** What is missing in a file, in the order of its end; gaps that may still grow are held back. */
export class GapLog {
  #open: RecordingGap[];
  #ended: RecordingGap[] = [];

  /** @param open what `open` was when the file was left */
  constructor(open: readonly RecordingGap[] = []) {
    this.#open = [...open];
  }

  /** At most one of each kind. */
  get open(): readonly RecordingGap[] {
    return this.#open;
  }

  add(kind: RecordingGap['kind'], fromMs: number, toMs: number, reason: GapReason): void {
    if (toMs - fromMs < SHORTEST_MS) return;
    // What began in the file before, after a roll-over, is here from the start.
    const startMs = Math.max(0, Math.round(fromMs));
    const before = this.#open.find((gap) => gap.kind === kind);
    const joins = before !== undefined && before.reason === reason && startMs - before.toMs <= JOINED_MS;
    if (before !== undefined && !joins) this.#ended.push(before);
    const gap = { kind, fromMs: joins ? before.fromMs : startMs, toMs: Math.round(toMs), reason };
    this.#open = [...this.#open.filter((other) => other !== before), gap];
  }

  /** Gaps that are over by now, once. @param nowMs of the file; Infinity = all */
  take(nowMs: number): readonly RecordingGap[] {
    const isOver = ({ toMs }: RecordingGap) => nowMs - toMs > JOINED_MS;
    const ended = [...this.#ended, ...this.#open.filter(isOver)];
    this.#open = this.#open.filter((gap) => !isOver(gap));
    this.#ended = [];
    return ended;
  }
}
