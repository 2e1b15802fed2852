/** A whole picture of a video encoding, as WebM holds it. */
export interface Picture {
  readonly keyFrame: boolean;
  readonly data: Uint8Array;
  /** Of a key frame. */
  readonly size?: PictureSize;
  /** Of a key frame of AV1. */
  readonly codecPrivate?: Uint8Array;
  /** What the headers tell of the pictures that it needs; absent = all before it. */
  readonly references?: References;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What a picture refers to, and what may refer to it. */
export interface References {
  /** Counts pictures; wraps at 2^15, or at 2^7. */
  readonly pictureId?: number;
}

/** Puts the payloads of one picture together, all of them, in order. */
export interface PictureCodec {
  /**
   * @param afterLoss something was lost in front of the first payload, which may not be the picture's first then
   * @returns undefined when it cannot be a whole picture
   */
  assemble(payloads: readonly Uint8Array[], afterLoss: boolean): Picture | undefined;
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
