import assert from 'node:assert/strict';
import { type Chunk, HEAD_BYTES } from '../../chunk.ts';
import type { FileEnds } from '../../finish/unfinished-file.ts';

/** What a chunk of a test says of itself. */
export interface ChunkMark {
  readonly epoch: number;
  /** Counted in the file, from 0. */
  readonly seq: number;
  readonly offset: number;
  readonly bytes: number;
}

const MARK_BYTES = 100;
/** Length of media of each. */
export const CHUNK_MS = 1000;

/** A chunk that can be told from all others, byte by byte; the first one of a file has room for the head. */
export function numberedChunk(epoch: number, seq: number, offset: number, bytes: number): Chunk {
  const room = offset === 0 ? HEAD_BYTES : 0;
  const body = Buffer.alloc(room + Math.max(bytes, MARK_BYTES));
  const mark: ChunkMark = { epoch, seq, offset, bytes: body.length };
  fill(body.subarray(room), mark);
  return {
    bytes: body,
    cues: [{ timeMs: seq * CHUNK_MS, track: 1, offset: offset + room }],
    gaps:
      seq % 7 === 3
        ? [{ kind: 'video', fromMs: seq * CHUNK_MS, toMs: seq * CHUNK_MS + 10, reason: 'loss' }]
        : [],
    state: {
      tracks: [{ number: 1, kind: 'video', codec: 'VP8', width: 640, height: 360 }],
      startedAtMs: 1_700_000_000_000,
      timeline: { epoch, seq },
    },
    endMs: (seq + 1) * CHUNK_MS,
    oldestAtMs: 0,
  };
}

function fill(media: Buffer, mark: ChunkMark): void {
  media.write(
    JSON.stringify(mark)
      .padEnd(MARK_BYTES - 1)
      .concat('\n'),
  );
  let value = (mark.epoch * 31 + mark.seq) | 0;
  for (let at = MARK_BYTES; at < media.length; at++) {
    value = (Math.imul(value, 1_103_515_245) + 12_345) | 0;
    media[at] = value >>> 16;
  }
}

/** Ends that can be read back, in place of WebM's. */
export const readableEnds: FileEnds = {
  head: (file) => Buffer.from(JSON.stringify(file).padEnd(HEAD_BYTES)),
  cues: (cues) => Buffer.from(JSON.stringify(cues)),
};

/** Checks a whole file against what it says of itself. @returns its chunks */
export function readFile(file: Uint8Array): readonly ChunkMark[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const head = JSON.parse(bytes.subarray(0, HEAD_BYTES).toString());
  assert.equal(head.mediaBytes + head.cuesBytes, bytes.length);
  const chunks = readMedia(bytes.subarray(0, head.mediaBytes));
  assert.equal(head.durationMs, chunks.length * CHUNK_MS);
  const cues: readonly { readonly timeMs: number; readonly offset: number }[] = JSON.parse(
    bytes.subarray(head.mediaBytes).toString(),
  );
  assert.deepEqual(
    cues.map(({ timeMs, offset }) => [timeMs, offset]),
    chunks.map(({ seq, offset }) => [seq * CHUNK_MS, offset === 0 ? HEAD_BYTES : offset]),
  );
  return chunks;
}

/** Chunks that follow each other without a hole, each in its place with its own bytes. */
export function readMedia(media: Buffer): readonly ChunkMark[] {
  const chunks: ChunkMark[] = [];
  for (let offset = 0; offset < media.length; ) {
    const from = offset === 0 ? HEAD_BYTES : offset;
    const mark: ChunkMark = JSON.parse(media.subarray(from, from + MARK_BYTES).toString());
    assert.deepEqual([mark.seq, mark.offset], [chunks.length, offset]);
    assert.ok(mark.epoch >= (chunks.at(-1)?.epoch ?? 0), 'a predecessor wrote behind its successor');
    const expected = Buffer.alloc(offset + mark.bytes - from);
    fill(expected, mark);
    assert.ok(expected.equals(media.subarray(from, offset + mark.bytes)), `other bytes in chunk ${mark.seq}`);
    chunks.push(mark);
    offset += mark.bytes;
  }
  return chunks;
}
