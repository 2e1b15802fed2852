import type { RecoveredFile, RecoveredTail } from './recovery.ts';
import type { Tail } from './tail.ts';

/** A predecessor's tails are put together into ones of about this size: fewer calls. */
const GROUP_BYTES = 1024 * 1024;

/**
 * What a successor writes again before its own: the tails of its predecessor, put together, without what is
 * covered by parts. One ends where storage's knowledge ends, so that the first checkpoint need not wait for
 * what only the spool had.
 */
export async function* inheritedTails(file: RecoveredFile): AsyncGenerator<Tail, void> {
  let group: RecoveredTail[] = [];
  for (const [index, tail] of file.tails.entries()) {
    group.push(tail);
    const next = file.tails[index + 1];
    const bytes = group.reduce((sum, { bytes }) => sum + bytes, 0);
    const end = tail.offset + tail.bytes;
    if (next && bytes + next.bytes <= GROUP_BYTES && end !== file.storedTo) continue;
    yield await joinTails(group, file.checkpoint.coveredTo);
    group = [];
  }
}

async function joinTails(tails: readonly RecoveredTail[], coveredTo: number): Promise<Tail> {
  const [first] = tails;
  const last = tails.at(-1);
  if (!first || !last) throw new RangeError('there is no tail without tails');
  const offset = Math.max(first.offset, coveredTo);
  const bodies: Uint8Array[] = [];
  for (const tail of tails) bodies.push((await tail.body()).subarray(Math.max(0, offset - tail.offset)));
  return {
    offset,
    body: Buffer.concat(bodies),
    cues: tails.flatMap(({ cues }) => cues),
    gaps: tails.flatMap(({ gaps }) => gaps),
    state: last.state,
    endMs: last.endMs,
  };
}
