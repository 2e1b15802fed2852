import { BitReader } from './bit-reader.ts';
import type { PictureSize } from './picture.ts';

/** What a frame's uncompressed header tells (VP9 bitstream specification, section 6.2). */
export type Vp9Header =
  | { readonly showsExisting: true; readonly slot: number }
  | {
      readonly showsExisting: false;
      readonly keyFrame: boolean;
      readonly shown: boolean;
      readonly errorResilient: boolean;
      readonly size: PictureSize;
      /** Slots that this frame is kept in: a bit for each. */
      readonly refresh: number;
      /** Position of `show_frame`. */
      readonly showBit: number;
      /** Length of the header without its trailing bits. */
      readonly bits: number;
    };

/** Sizes of the frames in the decoder's eight slots, which later headers refer to. */
export type Vp9Slots = readonly (PictureSize | undefined)[];

const SYNC_CODE = 0x498342;
const RGB = 7;

/** @returns undefined for what is no frame, or refers to a slot that holds none */
export function parseVp9Header(frame: Uint8Array, slots: Vp9Slots): Vp9Header | undefined {
  const bits = new BitReader(frame);
  if (bits.read(2) !== 2) return undefined;
  const profile = bits.read(1) + 2 * bits.read(1);
  if (profile === 3 && bits.flag()) return undefined;
  if (bits.flag()) {
    const slot = bits.read(3);
    return bits.overrun ? undefined : { showsExisting: true, slot };
  }
  const keyFrame = !bits.flag();
  const showBit = bits.position;
  const shown = bits.flag();
  const errorResilient = bits.flag();
  let refresh = 0xff;
  let size: PictureSize | undefined;
  if (keyFrame) {
    if (bits.read(24) !== SYNC_CODE) return undefined;
    skipColour(bits, profile);
    size = readSize(bits);
  } else {
    const intraOnly = !shown && bits.flag();
    if (!errorResilient) bits.skip(2);
    if (intraOnly) {
      if (bits.read(24) !== SYNC_CODE) return undefined;
      if (profile > 0) skipColour(bits, profile);
      refresh = bits.read(8);
      size = readSize(bits);
    } else {
      refresh = bits.read(8);
      size = readSizeWithReferences(bits, slots);
      bits.skip(1);
      if (!bits.flag()) bits.skip(2);
    }
  }
  if (size === undefined) return undefined;
  if (!errorResilient) bits.skip(2);
  bits.skip(2);
  skipLoopFilter(bits);
  skipQuantisation(bits);
  skipSegmentation(bits);
  skipTiles(bits, size.width);
  const compressedHeaderBytes = bits.read(16);
  if (bits.overrun || compressedHeaderBytes === 0) return undefined;
  return {
    showsExisting: false,
    keyFrame,
    shown,
    errorResilient,
    size,
    refresh,
    showBit,
    bits: bits.position,
  };
}

function skipColour(bits: BitReader, profile: number): void {
  if (profile >= 2) bits.skip(1);
  const odd = (profile & 1) === 1;
  if (bits.read(3) === RGB) bits.skip(odd ? 1 : 0);
  else bits.skip(odd ? 4 : 1);
}

function readSize(bits: BitReader): PictureSize {
  const size = { width: bits.read(16) + 1, height: bits.read(16) + 1 };
  skipRenderSize(bits);
  return size;
}

function skipRenderSize(bits: BitReader): void {
  if (bits.flag()) bits.skip(32);
}

function readSizeWithReferences(bits: BitReader, slots: Vp9Slots): PictureSize | undefined {
  const references: number[] = [];
  for (let count = 0; count < 3; count += 1) {
    references.push(bits.read(3));
    bits.skip(1);
  }
  for (const slot of references) {
    if (!bits.flag()) continue;
    skipRenderSize(bits);
    return slots[slot];
  }
  return readSize(bits);
}

function skipLoopFilter(bits: BitReader): void {
  bits.skip(9);
  if (!bits.flag() || !bits.flag()) return;
  for (let delta = 0; delta < 6; delta += 1) if (bits.flag()) bits.skip(7);
}

function skipQuantisation(bits: BitReader): void {
  bits.skip(8);
  for (let delta = 0; delta < 3; delta += 1) if (bits.flag()) bits.skip(5);
}

const FEATURE_BITS = [9, 7, 2, 0];

function skipSegmentation(bits: BitReader): void {
  if (!bits.flag()) return;
  if (bits.flag()) {
    for (let probability = 0; probability < 7; probability += 1) if (bits.flag()) bits.skip(8);
    if (bits.flag()) {
      for (let probability = 0; probability < 3; probability += 1) if (bits.flag()) bits.skip(8);
    }
  }
  if (!bits.flag()) return;
  bits.skip(1);
  for (let segment = 0; segment < 8; segment += 1) {
    for (const length of FEATURE_BITS) if (bits.flag()) bits.skip(length);
  }
}

function skipTiles(bits: BitReader, width: number): void {
  const columns = (width + 63) >> 6;
  let least = 0;
  while (64 << least < columns) least += 1;
  let most = 1;
  while (columns >> most >= 4) most += 1;
  most -= 1;
  while (least < most && bits.flag()) least += 1;
  if (bits.flag()) bits.skip(1);
}
