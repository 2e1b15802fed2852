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
 * Collects the packets of one timestamp, which end with the marker. A picture with a hole in it never comes out, nor
 * one without its end, though all numbers are there: a browser's pacer drops what it has queued when a key frame
 * comes, before it numbers packets. VP9 alone ends without a marker too, where an encoder leaves out the highest layer.
 */
export class PictureAssembler {
  readonly #codec: PictureCodec;
  #begun: Begun | undefined;
  #lost = false;

  constructor(codec: PictureCodec) {
    this.#codec = codec;
  }

  /** @returns none, one, or two: one that ended unseen, and this packet's */
  push({ packet, atMs, lostBefore }: OrderedPacket): AssembledPicture[] {
    const out: AssembledPicture[] = [];
    if (lostBefore) {
      this.#lost = true;
      // Its end may be missing, and with the same timestamp this may go on with it.
      if (this.#begun !== undefined) this.#begun.broken = true;
    }
    if (packet.payload.length === 0) return out;
    if (this.#begun !== undefined && this.#begun.timestamp !== packet.timestamp) {
      if (!this.#codec.seesEnd) this.#begun.broken = true;
      this.#finish(this.#begun, out);
    }
    this.#begun ??= {
      timestamp: packet.timestamp,
      atMs,
      afterLoss: this.#lost,
      payloads: [],
      bytes: 0,
      broken: false,
    };
    const begun = this.#begun;
    begun.bytes += packet.payload.length;
    if (begun.bytes > MAX_PICTURE_BYTES || begun.payloads.length === MAX_PICTURE_PACKETS) begun.broken = true;
    if (begun.broken) begun.payloads.length = 0;
    else begun.payloads.push(packet.payload);
    if (packet.marker) this.#finish(begun, out);
    return out;
  }

  /** Forgets what was begun: what comes next stands alone. */
  reset(): void {
    this.#begun = undefined;
    this.#lost = false;
  }

  #finish({ broken, payloads, timestamp, atMs, afterLoss }: Begun, out: AssembledPicture[]): void {
    this.#begun = undefined;
    const picture = broken ? undefined : this.#codec.assemble(payloads, afterLoss);
    this.#lost = picture === undefined;
    if (picture !== undefined) out.push({ picture, timestamp, atMs, afterLoss });
  }
}
