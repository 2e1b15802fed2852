import type { Frame } from '../../../recorder/frame.ts';

const FOURCC: Readonly<Record<string, string>> = { VP8: 'VP80', VP9: 'VP90', AV1: 'AV01' };
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 12;
/** IVF holds temporal units as encoders give them, WebM without these. */
const AV1_TEMPORAL_DELIMITER = Buffer.of(0x12, 0);

/** A file that holds frames and nothing else, one every 40 ms. */
export function encodeIvf(codec: string, frames: readonly Frame[]): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  const size = frames[0]?.size ?? { width: 0, height: 0 };
  head.write('DKIF', 0);
  head.writeUInt16LE(HEADER_BYTES, 6);
  head.write(FOURCC[codec] ?? '', 8);
  head.writeUInt16LE(size.width, 12);
  head.writeUInt16LE(size.height, 14);
  head.writeUInt32LE(25, 16);
  head.writeUInt32LE(1, 20);
  head.writeUInt32LE(frames.length, 24);
  const parts: Uint8Array[] = [head];
  for (const [index, frame] of frames.entries()) {
    const prefix = codec === 'AV1' ? AV1_TEMPORAL_DELIMITER : Buffer.alloc(0);
    const frameHead = Buffer.alloc(FRAME_HEADER_BYTES);
    frameHead.writeUInt32LE(prefix.length + frame.data.length, 0);
    frameHead.writeBigUInt64LE(BigInt(index), 4);
    parts.push(frameHead, prefix, frame.data);
  }
  return Buffer.concat(parts);
}
