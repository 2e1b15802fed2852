import {
  concatenate,
  type Picture,
  type PictureCodec,
  type PictureSize,
  type References,
} from './picture.ts';

/** What an RTP payload says in front of VP8's data (RFC 7741 section 4.2). */
export interface Vp8Descriptor {
  readonly bytes: number;
  /** First packet of a picture's first partition. */
  readonly starts: boolean;
  readonly tl0PicIdx?: number;
  readonly temporalLayer?: number;
  /** Y: refers to the last picture of layer 0 only. */
  readonly layerSync: boolean;
}

/** @returns undefined for what is cut off, or has nothing behind the descriptor */
export function parseVp8Descriptor(payload: Uint8Array): Vp8Descriptor | undefined {
  let at = 0;
  const next = () => payload[at++] ?? 0;
  const first = next();
  const extension = (first & 0x80) !== 0 ? next() : 0;
  // The picture id has one byte or two.
  if ((extension & 0x80) !== 0 && (next() & 0x80) !== 0) next();
  const tl0PicIdx = (extension & 0x40) !== 0 ? next() : undefined;
  const layers = (extension & 0x30) !== 0 ? next() : 0;
  const hasLayer = (extension & 0x20) !== 0;
  if (at >= payload.length) return undefined;
  return {
    bytes: at,
    starts: (first & 0x10) !== 0 && (first & 0x07) === 0,
    ...(tl0PicIdx === undefined ? {} : { tl0PicIdx }),
    ...(hasLayer ? { temporalLayer: layers >> 6 } : {}),
    layerSync: hasLayer && (layers & 0x20) !== 0,
  };
}

/** VP8 out of RTP (RFC 7741). */
export class Vp8 implements PictureCodec {
  readonly seesEnd = false;
  assemble(payloads: readonly Uint8Array[]): Picture | undefined {
    const parts: Uint8Array[] = [];
    let references: References = {};
    for (const [index, payload] of payloads.entries()) {
      const descriptor = parseVp8Descriptor(payload);
      if (descriptor === undefined || descriptor.starts !== (index === 0)) return undefined;
      if (index === 0) references = referencesOf(descriptor);
      parts.push(payload.subarray(descriptor.bytes));
    }
    const data = concatenate(parts);
    const keyFrame = ((data[0] ?? 1) & 1) === 0;
    if (!keyFrame) return data.length < 3 ? undefined : { keyFrame, data, references };
    const size = keyFrameSize(data);
    return size === undefined ? undefined : { keyFrame, data, size, references };
  }
}

/**
 * By temporal layers (RFC 7741 section 4.2): a picture of the base layer needs the base picture before it, as one
 * with Y needs the base picture that it names; all others may need anything.
 */
function referencesOf({ tl0PicIdx, temporalLayer, layerSync }: Vp8Descriptor): References {
  if (tl0PicIdx === undefined || temporalLayer === undefined) return {};
  if (temporalLayer === 0) return { provides: tl0PicIdx, needs: [(tl0PicIdx + 255) & 255] };
  return layerSync ? { needs: [tl0PicIdx] } : {};
}

/** RFC 6386 section 9.1: start code, then 14 bits of each with 2 of scaling. */
function keyFrameSize(data: Uint8Array): PictureSize | undefined {
  if (data.length < 10 || data[3] !== 0x9d || data[4] !== 0x01 || data[5] !== 0x2a) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const size = { width: view.getUint16(6, true) & 0x3fff, height: view.getUint16(8, true) & 0x3fff };
  return size.width === 0 || size.height === 0 ? undefined : size;
}
