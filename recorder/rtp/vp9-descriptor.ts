/** What an RTP payload says in front of VP9's data (RFC 9628 section 4.2). */
export interface Vp9Descriptor {
  readonly bytes: number;
  readonly startsLayerFrame: boolean;
  readonly endsLayerFrame: boolean;
  readonly spatialLayer: number;
  /** Of 15 bits; shorter ones wrap too soon to tell pictures apart, and are left out. */
  readonly pictureId?: number;
  /** How many pictures back each reference is: all of them, in flexible mode. */
  readonly referenceDistances?: readonly number[];
}

const MAX_REFERENCES = 3;

/** @returns undefined for what is cut off, or has nothing behind the descriptor */
export function parseVp9Descriptor(payload: Uint8Array): Vp9Descriptor | undefined {
  let at = 0;
  const next = () => payload[at++] ?? 0;
  const first = next();
  const interPicture = (first & 0x40) !== 0;
  const layered = (first & 0x20) !== 0;
  const flexible = (first & 0x10) !== 0;
  let pictureId: number | undefined;
  if ((first & 0x80) !== 0) {
    const id = next();
    if ((id & 0x80) !== 0) pictureId = ((id & 0x7f) << 8) | next();
  }
  const layers = layered ? next() : 0;
  if (layered && !flexible) next();
  const referenceDistances: number[] = [];
  for (let more = flexible && interPicture; more; ) {
    if (referenceDistances.length === MAX_REFERENCES) return undefined;
    const reference = next();
    referenceDistances.push(reference >> 1);
    more = (reference & 1) !== 0;
  }
  if ((first & 0x02) !== 0) at += structureBytes(payload, at);
  if (at >= payload.length) return undefined;
  return {
    bytes: at,
    startsLayerFrame: (first & 0x08) !== 0,
    endsLayerFrame: (first & 0x04) !== 0,
    spatialLayer: (layers >> 1) & 7,
    ...(pictureId === undefined ? {} : { pictureId }),
    ...(flexible ? { referenceDistances } : {}),
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
