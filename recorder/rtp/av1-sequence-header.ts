import { BitReader } from './bit-reader.ts';
import { concatenate, type PictureSize } from './picture.ts';

/** What WebM must know of a sequence header (AV1 bitstream specification, section 5.5). */
export interface Av1SequenceHeader {
  readonly size: PictureSize;
  readonly reducedStillPicture: boolean;
  readonly profile: number;
  readonly level: number;
  readonly tier: number;
  readonly highBitDepth: boolean;
  readonly twelveBit: boolean;
  readonly monochrome: boolean;
  readonly subsamplingX: number;
  readonly subsamplingY: number;
  readonly chromaSamplePosition: number;
}

/** @param payload of an OBU, without its header  @returns undefined when it is cut off */
export function parseAv1SequenceHeader(payload: Uint8Array): Av1SequenceHeader | undefined {
  const bits = new BitReader(payload);
  const profile = bits.read(3);
  bits.skip(1);
  const reduced = bits.flag();
  const { level, tier } = reduced ? { level: bits.read(5), tier: 0 } : readOperatingPoints(bits);
  const widthBits = bits.read(4) + 1;
  const heightBits = bits.read(4) + 1;
  const size = { width: bits.read(widthBits) + 1, height: bits.read(heightBits) + 1 };
  if (!reduced && bits.flag()) bits.skip(7);
  bits.skip(3);
  if (!reduced) skipTools(bits);
  bits.skip(3);
  const colour = readColour(bits, profile);
  return bits.overrun ? undefined : { size, reducedStillPicture: reduced, profile, level, tier, ...colour };
}

/** The body of `av1C`, WebM's CodecPrivate. @param obu the sequence header with its own header and size */
export function av1Configuration(header: Av1SequenceHeader, obu: Uint8Array): Uint8Array {
  const flag = (value: boolean, shift: number) => (value ? 1 << shift : 0);
  const fixed = Uint8Array.of(
    0x81,
    (header.profile << 5) | header.level,
    (header.tier << 7) |
      flag(header.highBitDepth, 6) |
      flag(header.twelveBit, 5) |
      flag(header.monochrome, 4) |
      (header.subsamplingX << 3) |
      (header.subsamplingY << 2) |
      header.chromaSamplePosition,
    0,
  );
  return concatenate([fixed, obu]);
}

/** @returns level and tier of the first one, which holds everything */
function readOperatingPoints(bits: BitReader): { level: number; tier: number } {
  let hasModel = false;
  let delayBits = 0;
  if (bits.flag()) {
    bits.skip(64);
    if (bits.flag()) skipUvlc(bits);
    hasModel = bits.flag();
    if (hasModel) {
      delayBits = bits.read(5) + 1;
      bits.skip(42);
    }
  }
  const hasDisplayDelay = bits.flag();
  const points = bits.read(5) + 1;
  let first = { level: 0, tier: 0 };
  for (let point = 0; point < points; point += 1) {
    bits.skip(12);
    const level = bits.read(5);
    const tier = level > 7 ? bits.read(1) : 0;
    if (point === 0) first = { level, tier };
    if (hasModel && bits.flag()) bits.skip(2 * delayBits + 1);
    if (hasDisplayDelay && bits.flag()) bits.skip(4);
  }
  return first;
}

function skipUvlc(bits: BitReader): void {
  let zeros = 0;
  while (!bits.flag() && zeros < 32 && !bits.overrun) zeros += 1;
  if (zeros < 32) bits.skip(zeros);
}

function skipTools(bits: BitReader): void {
  bits.skip(4);
  const orderHint = bits.flag();
  if (orderHint) bits.skip(2);
  const screenContent = bits.flag() ? 2 : bits.read(1);
  if (screenContent > 0 && !bits.flag()) bits.skip(1);
  if (orderHint) bits.skip(3);
}

const BT_709 = 1;
const SRGB = 13;
const IDENTITY = 0;

function readColour(bits: BitReader, profile: number) {
  const highBitDepth = bits.flag();
  const twelveBit = profile === 2 && highBitDepth && bits.flag();
  const monochrome = profile !== 1 && bits.flag();
  const described = bits.flag();
  const [primaries, transfer, matrix] = described ? [bits.read(8), bits.read(8), bits.read(8)] : [2, 2, 2];
  const depth = { highBitDepth, twelveBit, monochrome };
  if (monochrome) {
    bits.skip(1);
    return { ...depth, subsamplingX: 1, subsamplingY: 1, chromaSamplePosition: 0 };
  }
  if (primaries === BT_709 && transfer === SRGB && matrix === IDENTITY) {
    bits.skip(1);
    return { ...depth, subsamplingX: 0, subsamplingY: 0, chromaSamplePosition: 0 };
  }
  bits.skip(1);
  const [subsamplingX, subsamplingY] = readSubsampling(bits, profile, twelveBit);
  const chromaSamplePosition = subsamplingX === 1 && subsamplingY === 1 ? bits.read(2) : 0;
  bits.skip(1);
  return { ...depth, subsamplingX, subsamplingY, chromaSamplePosition };
}

function readSubsampling(bits: BitReader, profile: number, twelveBit: boolean): [number, number] {
  if (profile === 0) return [1, 1];
  if (profile === 1) return [0, 0];
  if (!twelveBit) return [1, 0];
  const x = bits.read(1);
  return [x, x === 1 ? bits.read(1) : 0];
}
