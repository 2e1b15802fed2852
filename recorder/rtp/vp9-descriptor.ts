/** What an RTP payload says in front of VP9's data (RFC 9628 section 4.2). */
export interface Vp9Descriptor {
  readonly bytes: number;
  readonly startsLayerFrame: boolean;
  readonly endsLayerFrame: boolean;
  /** P: refers to pictures before it. */
  readonly interPicture: boolean;
  readonly flexible: boolean;
  readonly pictureId?: number;
  readonly temporalLayer: number;
  readonly spatialLayer: number;
  /** D: refers to the spatial layer below, in the same picture. */
  readonly interLayer: boolean;
  /** U: higher temporal layers behind it refer to nothing in front of it that is above its own layer. */
  readonly switchingUp: boolean;
  /** Whether layers are told at all. */
  readonly layered: boolean;
  readonly tl0PicIdx?: number;
  /** Flexible mode: how many pictures back each reference is. */
  readonly referenceDistances: readonly number[];
}

const MAX_REFERENCES = 3;

/** @returns undefined for what is cut off, or has nothing behind the descriptor */
export function parseVp9Descriptor(payload: Uint8Array): Vp9Descriptor | undefined {
  let at = 0;
  const next = () => payload[at++] ?? 0;
  const first = next();
  const flexible = (first & 0x10) !== 0;
  const layered = (first & 0x20) !== 0;
  const interPicture = (first & 0x40) !== 0;
  let pictureId: number | undefined;
  if ((first & 0x80) !== 0) {
    pictureId = next();
    if ((pictureId & 0x80) !== 0) pictureId = ((pictureId & 0x7f) << 8) | next();
  }
  const layers = layered ? next() : 0;
  const tl0PicIdx = layered && !flexible ? next() : undefined;
  const referenceDistances: number[] = [];
  if (flexible && interPicture) {
    let more = true;
    while (more && referenceDistances.length < MAX_REFERENCES) {
      const reference = next();
      referenceDistances.push(reference >> 1);
      more = (reference & 1) !== 0;
    }
    if (more) return undefined;
  }
  if ((first & 0x02) !== 0) at += structureBytes(payload, at);
  if (at >= payload.length) return undefined;
  return {
    bytes: at,
    startsLayerFrame: (first & 0x08) !== 0,
    endsLayerFrame: (first & 0x04) !== 0,
    interPicture,
    flexible,
    ...(pictureId === undefined ? {} : { pictureId }),
    temporalLayer: layers >> 5,
    spatialLayer: (layers >> 1) & 7,
    interLayer: (layers & 1) !== 0,
    switchingUp: (layers & 0x10) !== 0,
    layered,
    ...(tl0PicIdx === undefined ? {} : { tl0PicIdx }),
    referenceDistances,
  };
}

/** Length of the scalability structure (RFC 9628 section 4.2.1); past the end when it is cut off. */
function structureBytes(payload: Uint8Array, start: number): number {
  const first = payload[start] ?? 0;
  let at = start + 1;
  if ((first & 0x10) !== 0) at += 4 * ((first >> 5) + 1);
  if ((first & 0x08) !== 0) {
    const pictures = payload[at++] ?? 0;
    for (let picture = 0; picture < pictures; picture += 1) {
      const references = ((payload[at] ?? 0) >> 2) & 3;
      at += 1 + references;
    }
  }
  return at - start;
}
