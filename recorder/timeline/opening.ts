import type { Frame } from '../frame.ts';

/** How long a picture is waited for; then the file begins with sound alone, and the picture joins later. */
const WAIT_MS = 3000;
/** Ten seconds of sound, in its shortest usual packets. */
const MAX_FRAMES = 1000;

/** Keeps frames until it is known what a file begins with. */
export class Opening {
  #frames: Frame[] = [];

  /** Pictures before the first key frame can be shown by nobody. */
  keep(frame: Frame): void {
    if (this.#frames.length < MAX_FRAMES && (frame.kind === 'audio' || frame.keyFrame))
      this.#frames.push(frame);
  }

  clear(): void {
    this.#frames = [];
  }

  /**
   * @param pictureIsDue a picture comes, or is expected to
   * @returns frames, the first of which is at the file's time 0; none while it is not known
   */
  take(atMs: number, pictureIsDue: boolean): readonly Frame[] {
    const [oldest] = this.#frames;
    if (oldest === undefined) return [];
    const picture = this.#frames.find(({ kind }) => kind === 'video');
    if (picture === undefined && pictureIsDue && atMs - oldest.atMs < WAIT_MS) return [];
    const frames = this.#frames;
    this.#frames = [];
    return picture === undefined ? frames : [picture, ...frames.filter((frame) => frame !== picture)];
  }
}
