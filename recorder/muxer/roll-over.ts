import type { FileTrack } from '../chunk.ts';
import type { TimedBlock, TimelineState } from '../timeline/index.ts';

/** How long the sound may take to come as far as the picture has. */
const PATIENCE_MS = 2000;

/**
 * The change from one file to the next, at one time for both kinds. The picture is there first; until the sound
 * is as far, blocks of the next file are kept here.
 */
export class RollOver {
  /** Where the old file ends, in its own time. */
  readonly atMs: number;
  readonly #begunAtMs: number;
  readonly #blocks: TimedBlock[] = [];
  readonly #before: TimelineState;
  #soundBefore: TimelineState['sound'] | undefined;

  /**
   * @param first block of the next file
   * @param before timeline in front of it
   * @param tracks of the old file
   */
  constructor(first: TimedBlock, before: TimelineState, tracks: readonly FileTrack[]) {
    this.atMs = first.timeMs;
    this.#begunAtMs = first.atMs;
    this.#before = before;
    if (!tracks.some(({ kind }) => kind === 'audio')) this.#soundBefore = before.sound;
  }

  get blocks(): readonly TimedBlock[] {
    return this.#blocks;
  }

  /** Whether a block is the next file's. */
  takes({ timeMs }: TimedBlock): boolean {
    return timeMs >= this.atMs;
  }

  /** @param state of the timeline in front of the block */
  add(block: TimedBlock, state: () => TimelineState): void {
    this.#blocks.push(block);
    if (block.kind === 'audio') this.#soundBefore ??= state().sound;
  }

  isReady(atMs: number): boolean {
    return this.#soundBefore !== undefined || atMs - this.#begunAtMs >= PATIENCE_MS;
  }

  /** What someone would go on from who finds the old file, and no new one. @param now the timeline's state */
  stateBefore(now: TimelineState): TimelineState {
    return { ...this.#before, sound: this.#soundBefore ?? now.sound, gaps: now.gaps };
  }
}
