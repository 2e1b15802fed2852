import {
  concatenate,
  type Picture,
  type PictureCodec,
  type PictureSize,
  type References,
} from './picture.ts';
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
  readonly seesEnd = true;
  readonly #slots: (PictureSize | undefined)[] = Array(8).fill(undefined);

  assemble(payloads: readonly Uint8Array[], afterLoss: boolean): Picture | undefined {
    const layerFrames = collectLayerFrames(payloads, afterLoss);
    if (layerFrames === undefined) return undefined;
    const frames: CodedFrame[] = [];
    for (const data of layerFrames.flatMap((layerFrame) => splitSuperframe(layerFrame.data))) {
      const header = parseVp9Header(data, this.#slots);
      if (header === undefined) return undefined;
      this.#keepSize(header);
      frames.push({ data, header });
    }
    const first = frames[0]?.header;
    const last = frames.at(-1)?.header;
    if (first === undefined || last === undefined || frames.length > MAX_FRAMES) return undefined;
    const keyFrame = !first.showsExisting && first.keyFrame;
    const [only, ...others] = layerFrames;
    const data = only !== undefined && others.length === 0 ? only.data : join(frames);
    const references = referencesOf(layerFrames, frames);
    if (last.showsExisting) return keyFrame ? undefined : { keyFrame, data, references };
    return { keyFrame, data, size: last.size, references };
  }

  #keepSize(header: Vp9Header): void {
    if (header.showsExisting) return;
    for (let slot = 0; slot < this.#slots.length; slot += 1) {
      if (((header.refresh >> slot) & 1) === 1) this.#slots[slot] = header.size;
    }
  }
}

interface LayerFrame {
  readonly descriptor: Vp9Descriptor;
  readonly data: Uint8Array;
}

/** Whole layer frames of one picture, lowest layer first. */
function collectLayerFrames(payloads: readonly Uint8Array[], afterLoss: boolean): LayerFrame[] | undefined {
  const layerFrames: LayerFrame[] = [];
  let parts: Uint8Array[] = [];
  let below = -1;
  for (const payload of payloads) {
    const descriptor = parseVp9Descriptor(payload);
    if (descriptor === undefined || descriptor.startsLayerFrame !== (parts.length === 0)) return undefined;
    const { spatialLayer } = descriptor;
    // Behind a loss a layer below may be what is missing.
    if (spatialLayer < below || (below < 0 && afterLoss && spatialLayer > 0)) return undefined;
    below = spatialLayer;
    parts.push(payload.subarray(descriptor.bytes));
    if (!descriptor.endsLayerFrame) continue;
    layerFrames.push({ descriptor, data: concatenate(parts) });
    parts = [];
  }
  return parts.length > 0 ? undefined : layerFrames;
}

/**
 * Flexible mode names every picture that is referred to. That is all that a frame needs only if it is error
 * resilient: else its probabilities may come from any frame before.
 */
function referencesOf(layerFrames: readonly LayerFrame[], frames: readonly CodedFrame[]): References {
  const pictureId = layerFrames[0]?.descriptor.pictureId;
  if (pictureId === undefined) return {};
  const resilient = frames.every(({ header }) => !header.showsExisting && header.errorResilient);
  const needs: number[] = [];
  for (const { descriptor } of layerFrames) {
    if (descriptor.referenceDistances === undefined || !resilient) return { provides: pictureId };
    for (const distance of descriptor.referenceDistances) needs.push((pictureId - distance) & 0x7fff);
  }
  return { provides: pictureId, needs };
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
