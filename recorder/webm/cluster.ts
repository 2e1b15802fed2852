import { bytesOfSize, bytesOfUint, writeId, writeSize, writeUint } from './ebml.ts';
import { CLUSTER, SIMPLE_BLOCK, TIMESTAMP } from './element.ts';

/** A frame with its place in the file. */
export interface Block {
  /** Number in the file, 1..126. */
  readonly track: number;
  /** In the file's own time; whole milliseconds. */
  readonly timeMs: number;
  readonly keyFrame: boolean;
  readonly data: Uint8Array;
}

/** How far a block's time may be from its cluster's: 16 bits with a sign (RFC 9559 section 10.1). */
export const MAX_CLUSTER_SPAN_MS = 32_767;

const BLOCK_HEAD_BYTES = 4;
const KEY_FRAME_FLAG = 0x80;

/** Length of the cluster that `writeCluster` writes. */
export function clusterLength(blocks: readonly Block[], timeMs: number): number {
  const body = bodyLength(blocks, timeMs);
  return bytesOfUint(CLUSTER) + bytesOfSize(body) + body;
}

/**
 * Writes blocks as one cluster of known size (RFC 9559 sections 5.1.3 and 10.2).
 *
 * @param timeMs the cluster's own time, from 0
 * @returns the position behind it
 * @throws RangeError for a block further than `MAX_CLUSTER_SPAN_MS` from the cluster's time
 */
export function writeCluster(
  target: Uint8Array,
  from: number,
  blocks: readonly Block[],
  timeMs: number,
): number {
  let at = writeId(target, from, CLUSTER);
  at = writeSize(target, at, bodyLength(blocks, timeMs));
  at = writeId(target, at, TIMESTAMP);
  const timeBytes = bytesOfUint(timeMs);
  at = writeSize(target, at, timeBytes);
  writeUint(target, at, timeMs, timeBytes);
  at += timeBytes;
  for (const block of blocks) at = writeBlock(target, at, block, timeMs);
  return at;
}

function writeBlock(target: Uint8Array, from: number, block: Block, clusterTimeMs: number): number {
  const relativeMs = block.timeMs - clusterTimeMs;
  if (relativeMs > MAX_CLUSTER_SPAN_MS || relativeMs < -MAX_CLUSTER_SPAN_MS - 1)
    throw new RangeError(`a block at ${block.timeMs} ms does not fit a cluster at ${clusterTimeMs} ms`);
  let at = writeId(target, from, SIMPLE_BLOCK);
  at = writeSize(target, at, BLOCK_HEAD_BYTES + block.data.length);
  target[at] = 0x80 | block.track;
  target[at + 1] = (relativeMs >> 8) & 0xff;
  target[at + 2] = relativeMs & 0xff;
  target[at + 3] = block.keyFrame ? KEY_FRAME_FLAG : 0;
  at += BLOCK_HEAD_BYTES;
  target.set(block.data, at);
  return at + block.data.length;
}

function bodyLength(blocks: readonly Block[], timeMs: number): number {
  let length = 2 + bytesOfUint(timeMs);
  for (const { data } of blocks) {
    const bytes = BLOCK_HEAD_BYTES + data.length;
    length += 1 + bytesOfSize(bytes) + bytes;
  }
  return length;
}
