import { concatenate, type Picture, type PictureCodec, type PictureSize } from './picture.ts';
import { parseVp9Descriptor, type Vp9Descriptor } from './vp9-descriptor.ts';
import { parseVp9Header, type Vp9Header } from './vp9-header.ts';
import { hideFrame, joinSuperframe, MAX_FRAMES, splitSuperframe } from './vp9-superframe.ts';

interface CodedFrame {
  readonly data: Uint8Array;
  readonly header: Vp9Header;
}

/**
 * VP9 out of RTP (RFC 9628). All spatial layers of a picture become one superframe, in which the highest layer
 * alone is shown: each layer is sent as a shown frame, and a decoder that shows what it is told to would flicker
 * between the sizes.
 */
export class Vp9 implements PictureCodec {
  readonly #slots: (PictureSize | undefined)[] = Array(8).fill(undefined);

  assemble(payloads: readonly Uint8Array[], afterLoss: boolean): Picture | undefined {
    const layerFrames = collectLayerFrames(payloads, afterLoss);
    if (layerFrames === undefined) return undefined;
    const frames: CodedFrame[] = [];
    for (const data of layerFrames.flatMap((layerFrame) => splitSuperframe(layerFrame))) {
      const header = parseVp9Header(data, this.#slots);
      if (header === undefined) return undefined;
      this.#keepSize(header);
      frames.push({ data, header });
    }
    const first = frames[0]?.header;
    const last = frames.at(-1)?.header;
    if (first === undefined || last === undefined || frames.length > MAX_FRAMES) return undefined;
    const keyFrame = !first.showsExisting && first.keyFrame;
    const data = layerFrames.length === 1 && layerFrames[0] !== undefined ? layerFrames[0] : join(frames);
    if (!keyFrame) return { keyFrame, data };
    return last.showsExisting ? undefined : { keyFrame, data, size: last.size };
  }

  #keepSize(header: Vp9Header): void {
    if (header.showsExisting) return;
    for (let slot = 0; slot < this.#slots.length; slot += 1) {
      if (((header.refresh >> slot) & 1) === 1) this.#slots[slot] = header.size;
    }
  }
}

/** Whole layer frames of one picture, lowest layer first. */
function collectLayerFrames(payloads: readonly Uint8Array[], afterLoss: boolean): Uint8Array[] | undefined {
  const layerFrames: Uint8Array[] = [];
  let parts: Uint8Array[] = [];
  let above: Vp9Descriptor | undefined;
  for (const payload of payloads) {
    const descriptor = parseVp9Descriptor(payload);
    if (descriptor === undefined || descriptor.startsLayerFrame !== (parts.length === 0)) return undefined;
    if (above === undefined && afterLoss && descriptor.spatialLayer > 0) return undefined;
    if (above !== undefined && descriptor.spatialLayer < above.spatialLayer) return undefined;
    above = descriptor;
    parts.push(payload.subarray(descriptor.bytes));
    if (!descriptor.endsLayerFrame) continue;
    layerFrames.push(concatenate(parts));
    parts = [];
  }
  return parts.length > 0 || layerFrames.length === 0 ? undefined : layerFrames;
}

function join(frames: readonly CodedFrame[]): Uint8Array {
  const out: Uint8Array[] = [];
  for (const [index, { data, header }] of frames.entries()) {
    if (index === frames.length - 1) out.push(data);
    // What shows a frame again below the highest layer would only show it.
    else if (!header.showsExisting) out.push(header.shown ? hideFrame(data, header) : data);
  }
  return out.length === 1 && out[0] !== undefined ? out[0] : joinSuperframe(out);
}
