/** Reads bits, most significant first. What lies behind the end reads as 0, and `overrun` says so. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #position: number;

  constructor(bytes: Uint8Array, positionBits = 0) {
    this.#bytes = bytes;
    this.#position = positionBits;
  }

  /** Bits read so far, from the first byte. */
  get position(): number {
    return this.#position;
  }

  get overrun(): boolean {
    return this.#position > this.#bytes.length * 8;
  }

  /** @param count at most 32 */
  read(count: number): number {
    let value = 0;
    for (let left = count; left > 0; left -= 1) {
      const byte = this.#bytes[this.#position >> 3] ?? 0;
      value = value * 2 + ((byte >> (7 - (this.#position & 7))) & 1);
      this.#position += 1;
    }
    return value;
  }

  flag(): boolean {
    return this.read(1) === 1;
  }

  skip(count: number): void {
    this.#position += count;
  }
}
