/** What a packet, or a request of the muxer, is for. */
export interface Addressed {
  readonly number: number;
  readonly ssrcs: readonly number[];
  packet(packet: Uint8Array): void;
  /** Never throws: a muxer that needs one asks again. */
  requestKeyFrame(): void;
}

/** The tracks that are received now. */
export class TrackTable {
  readonly #byNumber = new Map<number, Addressed>();
  readonly #bySsrc = new Map<number, Addressed>();
  #count = 0;

  /** A number that no other track had. */
  nextNumber(): number {
    return this.#count++;
  }

  add(track: Addressed): void {
    this.#byNumber.set(track.number, track);
    for (const ssrc of track.ssrcs) this.#bySsrc.set(ssrc, track);
  }

  remove(track: Addressed): void {
    this.#byNumber.delete(track.number);
    for (const ssrc of track.ssrcs) this.#bySsrc.delete(ssrc);
  }

  get(number: number): Addressed | undefined {
    return this.#byNumber.get(number);
  }

  ofSsrc(ssrc: number): Addressed | undefined {
    return this.#bySsrc.get(ssrc);
  }
}
