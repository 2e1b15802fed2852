import { type Av1SequenceHeader, av1Configuration, parseAv1SequenceHeader } from './av1-sequence-header.ts';
import { BitReader } from './bit-reader.ts';
import { concatenate, type Picture, type PictureCodec } from './picture.ts';

const SEQUENCE_HEADER = 1;
const TEMPORAL_DELIMITER = 2;
const FRAME_HEADER = 3;
const FRAME = 6;
const TILE_LIST = 8;
const PADDING = 15;
const KEY_FRAME = 0;

/** An open bitstream unit, with its size written into it. */
interface Obu {
  readonly type: number;
  readonly payload: Uint8Array;
  readonly whole: Uint8Array;
}

/**
 * AV1 out of RTP (RTP payload format for AV1, section 4). A temporal unit with all its layers is one picture, in the
 * low-overhead format of WebM: each OBU with its size, without temporal delimiters.
 */
export class Av1 implements PictureCodec {
  readonly seesEnd = false;
  assemble(payloads: readonly Uint8Array[]): Picture | undefined {
    const elements = collectElements(payloads);
    if (elements === undefined) return undefined;
    const obus: Obu[] = [];
    for (const element of elements) {
      const obu = readObu(element);
      if (obu === undefined) return undefined;
      if (![TEMPORAL_DELIMITER, TILE_LIST, PADDING].includes(obu.type)) obus.push(obu);
    }
    const frame = obus.find(({ type }) => type === FRAME || type === FRAME_HEADER);
    if (frame === undefined) return undefined;
    const data = concatenate(obus.map(({ whole }) => whole));
    const sequence = obus.find(({ type }) => type === SEQUENCE_HEADER);
    if (sequence === undefined) return { keyFrame: false, data };
    const header = parseAv1SequenceHeader(sequence.payload);
    if (header === undefined) return undefined;
    if (!isKeyFrame(frame, header)) return { keyFrame: false, data };
    const codecPrivate = av1Configuration(header, sequence.whole);
    return { keyFrame: true, data, size: header.size, codecPrivate };
  }
}

/** The elements of all packets, those that were cut between packets made whole (section 4.4). */
function collectElements(payloads: readonly Uint8Array[]): Uint8Array[] | undefined {
  const elements: Uint8Array[] = [];
  let cut: Uint8Array[] = [];
  for (const payload of payloads) {
    const aggregation = payload[0] ?? 0;
    const continues = (aggregation & 0x80) !== 0;
    const goesOn = (aggregation & 0x40) !== 0;
    if (continues !== cut.length > 0) return undefined;
    const own = splitElements(payload, (aggregation >> 4) & 3);
    if (own === undefined) return undefined;
    for (const [index, element] of own.entries()) {
      cut.push(element);
      if (index === own.length - 1 && goesOn) break;
      elements.push(cut.length === 1 ? element : concatenate(cut));
      cut = [];
    }
  }
  return cut.length > 0 ? undefined : elements;
}

/** @param count W: elements in the packet, the last without a length; 0 = all have one */
function splitElements(payload: Uint8Array, count: number): Uint8Array[] | undefined {
  const elements: Uint8Array[] = [];
  let at = 1;
  while (at < payload.length) {
    let length = payload.length - at;
    if (elements.length + 1 !== count) {
      const told = readLeb128(payload, at);
      if (told === undefined) return undefined;
      at += told.bytes;
      length = told.value;
    }
    if (length === 0 || at + length > payload.length) return undefined;
    elements.push(payload.subarray(at, at + length));
    at += length;
  }
  return elements.length === 0 || (count > 0 && elements.length !== count) ? undefined : elements;
}

/** AV1 bitstream specification, sections 5.3.1 and 5.3.2. */
function readObu(element: Uint8Array): Obu | undefined {
  const first = element[0] ?? 0;
  const headerBytes = (first & 0x04) !== 0 ? 2 : 1;
  if ((first & 0x80) !== 0 || element.length < headerBytes) return undefined;
  let start = headerBytes;
  let end = element.length;
  if ((first & 0x02) !== 0) {
    const told = readLeb128(element, headerBytes);
    if (told === undefined || headerBytes + told.bytes + told.value > element.length) return undefined;
    start += told.bytes;
    end = start + told.value;
  }
  const payload = element.subarray(start, end);
  // A copy: `slice` of a Buffer would be a view of the packet.
  const header = Uint8Array.from(element.subarray(0, headerBytes));
  header[0] = first | 0x02;
  const whole = concatenate([header, writeLeb128(payload.length), payload]);
  return { type: (first >> 3) & 15, payload, whole };
}

/** Section 5.9.2: neither shows a frame again nor hides itself, and needs no other frame. */
function isKeyFrame(frame: Obu, sequence: Av1SequenceHeader): boolean {
  if (sequence.reducedStillPicture) return true;
  const bits = new BitReader(frame.payload);
  const showsExisting = bits.flag();
  return !showsExisting && bits.read(2) === KEY_FRAME && bits.flag();
}

function readLeb128(bytes: Uint8Array, start: number): { value: number; bytes: number } | undefined {
  let value = 0;
  for (let length = 0; length < 8; length += 1) {
    const byte = bytes[start + length];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * length);
    if ((byte & 0x80) === 0) return { value, bytes: length + 1 };
  }
  return undefined;
}

function writeLeb128(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Uint8Array.from(bytes);
}
