import type { AssembledPicture } from './picture-assembler.ts';

/**
 * Lets only pictures through that a decoder can decode: from the first key frame on, and after a loss from the
 * next one.
 */
export class PictureGate {
  #open = false;

  /** Everything is dropped until the next key frame. */
  get waiting(): boolean {
    return !this.#open;
  }

  passes({ picture, afterLoss }: AssembledPicture): boolean {
    if (afterLoss) this.#open = false;
    if (picture.keyFrame) this.#open = true;
    return this.#open;
  }

  close(): void {
    this.#open = false;
  }
}
