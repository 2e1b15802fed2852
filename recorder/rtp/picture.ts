/** A whole picture of a video encoding, as WebM holds it. */
export interface Picture {
  readonly keyFrame: boolean;
  readonly data: Uint8Array;
  /** Always of a key frame. */
  readonly size?: PictureSize;
  /** Of a key frame of AV1. */
  readonly codecPrivate?: Uint8Array;
  readonly references?: References;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What the headers tell of the pictures that this one needs, and of who may need it. */
export interface References {
  /** The number by which others need it; numbers wrap, and are told apart among the last 128 only. */
  readonly provides?: number;
  /** Numbers of all that it needs; absent = every picture since the last key frame. */
  readonly needs?: readonly number[];
}

/** Puts the payloads of one picture together, all of them, in order. */
export interface PictureCodec {
  /** Whether `assemble` sees that the end is missing; where not, only the marker tells. */
  readonly seesEnd: boolean;
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
