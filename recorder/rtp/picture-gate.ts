import type { AssembledPicture } from './picture-assembler.ts';

/** Numbers of pictures wrap: older ones than these could be mistaken for others. */
const MAX_DECODED = 128;
/** In the clock of video, 90 kHz. After a longer silence no number is believed. */
const MAX_SILENCE = 5 * 90_000;

/**
 * Lets only pictures through that a decoder can decode: all from a key frame on, and after a loss those alone whose
 * headers prove that they need nothing that is missing, until the next key frame.
 */
export class PictureGate {
  #begun = false;
  /** Something is missing since the last key frame. */
  #suspicious = false;
  #blocked = false;
  #timestamp = 0;
  /** Numbers of those that were let through since the last key frame, oldest first. */
  readonly #decoded = new Set<number>();

  /** Something does not come out that would with a key frame. */
  get waiting(): boolean {
    return !this.#begun || this.#blocked;
  }

  passes({ picture, timestamp, afterLoss }: AssembledPicture): boolean {
    const { keyFrame, references } = picture;
    if (keyFrame) {
      this.#begun = true;
      this.#suspicious = false;
      this.#blocked = false;
      this.#decoded.clear();
    }
    if (!this.#begun) return false;
    if (afterLoss && !keyFrame) {
      this.#suspicious = true;
      if ((timestamp - this.#timestamp) >>> 0 > MAX_SILENCE) this.#decoded.clear();
    }
    const decodable = !this.#suspicious || this.#hasAll(references?.needs);
    if (!decodable) this.#blocked = true;
    else if (references?.provides !== undefined) this.#remember(references.provides);
    if (decodable) this.#timestamp = timestamp;
    return decodable;
  }

  /** Everything is dropped until the next key frame. */
  close(): void {
    this.#begun = false;
  }

  #hasAll(needs: readonly number[] | undefined): boolean {
    return needs?.every((number) => this.#decoded.has(number)) ?? false;
  }

  #remember(number: number): void {
    this.#decoded.delete(number);
    this.#decoded.add(number);
    const oldest = this.#decoded.values().next();
    if (this.#decoded.size > MAX_DECODED && !oldest.done) this.#decoded.delete(oldest.value);
  }
}
