import type { Picture, PictureCodec } from './picture.ts';
import type { OrderedPacket } from './reorder-buffer.ts';

export interface AssembledPicture {
  readonly picture: Picture;
  /** As on the wire. */
  readonly timestamp: number;
  /** Arrival of its first packet. */
  readonly atMs: number;
  /** Pictures between the one before and this one are missing. */
  readonly afterLoss: boolean;
}

/** Far beyond any picture that a camera or a screen gives. */
const MAX_PICTURE_BYTES = 8 * 2 ** 20;
const MAX_PICTURE_PACKETS = 8192;

interface Begun {
  readonly timestamp: number;
  readonly atMs: number;
  readonly afterLoss: boolean;
  readonly payloads: Uint8Array[];
  bytes: number;
  broken: boolean;
}

/**
 * Collects the packets of one timestamp. A picture ends with the packet that has the marker, or in front of another
 * timestamp when nothing is missing there. One with a hole in it never comes out.
 */
export class PictureAssembler {
  readonly #codec: PictureCodec;
  #begun: Begun | undefined;
  #lost = false;

  constructor(codec: PictureCodec) {
    this.#codec = codec;
  }

  push({ packet, atMs, lostBefore }: OrderedPacket): AssembledPicture[] {
    const out: AssembledPicture[] = [];
    if (lostBefore) {
      // The end of what was begun may be missing too.
      if (this.#begun !== undefined) this.#begun.broken = true;
      else this.#lost = true;
    }
    if (packet.payload.length === 0) return out;
    if (this.#begun !== undefined && this.#begun.timestamp !== packet.timestamp) this.#finish(out);
    this.#begun ??= {
      timestamp: packet.timestamp,
      atMs,
      afterLoss: lostBefore || this.#lost,
      payloads: [],
      bytes: 0,
      broken: false,
    };
    const begun = this.#begun;
    begun.bytes += packet.payload.length;
    if (begun.bytes > MAX_PICTURE_BYTES || begun.payloads.length === MAX_PICTURE_PACKETS) begun.broken = true;
    if (begun.broken) begun.payloads.length = 0;
    else begun.payloads.push(packet.payload);
    if (packet.marker) this.#finish(out);
    return out;
  }

  /** Forgets what was begun: what comes next stands alone. */
  reset(): void {
    this.#begun = undefined;
    this.#lost = false;
  }

  #finish(out: AssembledPicture[]): void {
    const begun = this.#begun;
    if (begun === undefined) return;
    this.#begun = undefined;
    const picture = begun.broken ? undefined : this.#codec.assemble(begun.payloads, begun.afterLoss);
    if (picture === undefined) {
      this.#lost = true;
      return;
    }
    const { timestamp, atMs } = begun;
    out.push({ picture, timestamp, atMs, afterLoss: begun.afterLoss });
    this.#lost = false;
  }
}
