import { concatenate } from './picture.ts';
import type { Vp9Header } from './vp9-header.ts';

/** A superframe's index counts in three bits. */
export const MAX_FRAMES = 8;
const MARKER = 0xc0;

/** The frames of a superframe (VP9 bitstream specification, annex B); what is none is one frame. */
export function splitSuperframe(data: Uint8Array): readonly Uint8Array[] {
  const marker = data[data.length - 1] ?? 0;
  if ((marker & 0xe0) !== MARKER) return [data];
  const count = (marker & 7) + 1;
  const sizeBytes = ((marker >> 3) & 3) + 1;
  const indexStart = data.length - (2 + count * sizeBytes);
  if (indexStart < 0 || data[indexStart] !== marker) return [data];
  const frames: Uint8Array[] = [];
  let at = 0;
  for (let frame = 0; frame < count; frame += 1) {
    let size = 0;
    for (let byte = 0; byte < sizeBytes; byte += 1) {
      size += (data[indexStart + 1 + frame * sizeBytes + byte] ?? 0) * 2 ** (8 * byte);
    }
    if (at + size > indexStart) return [data];
    // A hidden frame of size 0 is a frame that the encoder left out.
    if (size > 0) frames.push(data.subarray(at, at + size));
    at += size;
  }
  return frames;
}

/** @param frames at most `MAX_FRAMES` */
export function joinSuperframe(frames: readonly Uint8Array[]): Uint8Array {
  const sizeBytes = 4;
  const index = new Uint8Array(2 + frames.length * sizeBytes);
  const view = new DataView(index.buffer);
  const marker = MARKER | ((sizeBytes - 1) << 3) | (frames.length - 1);
  view.setUint8(0, marker);
  for (const [number, frame] of frames.entries()) view.setUint32(1 + number * sizeBytes, frame.length, true);
  view.setUint8(index.length - 1, marker);
  return concatenate([...frames, index]);
}

/**
 * Makes a shown frame one that is decoded only: `show_frame` becomes 0, and in a frame that is not a key frame
 * `intra_only` = 0 follows, which moves the rest of the header by one bit.
 */
export function hideFrame(
  frame: Uint8Array,
  header: Vp9Header & { readonly showsExisting: false },
): Uint8Array {
  if (header.keyFrame) {
    const hidden = Uint8Array.from(frame);
    setBit(hidden, header.showBit, 0);
    return hidden;
  }
  const headerBytes = Math.ceil(header.bits / 8);
  const hiddenHeader = new Uint8Array(Math.ceil((header.bits + 1) / 8));
  const inserted = header.showBit + 2;
  for (let bit = 0; bit < header.bits; bit += 1) {
    if (bit === header.showBit) continue;
    setBit(hiddenHeader, bit < inserted ? bit : bit + 1, bitAt(frame, bit));
  }
  return concatenate([hiddenHeader, frame.subarray(headerBytes)]);
}

function bitAt(bytes: Uint8Array, position: number): number {
  return ((bytes[position >> 3] ?? 0) >> (7 - (position & 7))) & 1;
}

function setBit(bytes: Uint8Array, position: number, value: number): void {
  const mask = 0x80 >> (position & 7);
  const byte = bytes[position >> 3] ?? 0;
  bytes[position >> 3] = value === 1 ? byte | mask : byte & ~mask;
}
