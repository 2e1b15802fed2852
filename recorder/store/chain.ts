import type { RecordingEpoch } from '../../core/recording/recording.ts';
import type { CuePoint, MuxState } from '../chunk.ts';
import { addGaps } from './gaps.ts';
import type { StoredKey } from './layout.ts';
import type { Checkpoint, GapSummary, Tail } from './tail.ts';

/** What is found of a tail; its bytes stay where they are. */
export interface FoundTail extends Omit<Tail, 'body'> {
  readonly n: number;
  readonly bytes: number;
}

/** All that is left of a file: a checkpoint, and the tails behind it without a hole. */
export interface Chain<T extends FoundTail = FoundTail> {
  /** Of who wrote it. */
  readonly epoch: RecordingEpoch;
  readonly checkpoint: Checkpoint;
  /** From the one with the byte at `checkpoint.coveredTo` on. */
  readonly tails: readonly T[];
  readonly nextOffset: number;
  readonly endMs: number;
  readonly cues: readonly CuePoint[];
  readonly gaps: GapSummary;
  /** Absent while the file has no media. */
  readonly state?: MuxState;
}

export interface CheckpointName {
  readonly epoch: RecordingEpoch;
  readonly n: number;
}

/**
 * Checkpoints to begin from, the best first: the newest of the highest epoch. A chain never leaves its
 * epoch, because what a writer inherited it has written again before its first checkpoint.
 */
export function checkpointsOf(keys: readonly StoredKey[]): readonly CheckpointName[] {
  return keys
    .flatMap((key) => (key.kind === 'checkpoint' ? [{ epoch: key.epoch, n: key.n }] : []))
    .sort((a, b) => b.epoch - a.epoch || b.n - a.n);
}

/**
 * The longest chain from a checkpoint on.
 *
 * @param tails of the same epoch, in any order
 * @returns undefined when the tail is missing that the checkpoint ends in: it was deleted after a later
 *   checkpoint, which is to be looked for
 */
export function assembleChain<T extends FoundTail>(
  epoch: RecordingEpoch,
  checkpoint: Checkpoint,
  tails: readonly T[],
): Chain<T> | undefined {
  const byNumber = new Map(tails.map((tail) => [tail.n, tail]));
  const chained: T[] = [];
  let nextOffset = checkpoint.coveredTo;
  for (let n = checkpoint.firstTail; ; n++) {
    const tail = byNumber.get(n);
    if (!tail || !follows(tail, nextOffset, chained.length === 0)) break;
    chained.push(tail);
    nextOffset = tail.offset + tail.bytes;
  }
  const last = chained.at(-1);
  if (!last && checkpoint.coveredTo > 0) return undefined;
  return {
    epoch,
    checkpoint,
    tails: chained,
    nextOffset,
    endMs: last?.endMs ?? 0,
    cues: [...checkpoint.cues, ...chained.flatMap(({ cues }) => cues)],
    gaps: chained.reduce((gaps, tail) => addGaps(gaps, tail.gaps), checkpoint.gaps),
    ...(last ? { state: last.state } : {}),
  };
}

/** The first tail may begin in what is covered; each other one begins where the one before ends. */
function follows(tail: FoundTail, offset: number, first: boolean): boolean {
  return first ? tail.offset <= offset && offset <= tail.offset + tail.bytes : tail.offset === offset;
}
