import type { Codec, Kind } from '../../core/channel/media.ts';

/** A frame, or a piece of silence, with its place in the file. */
export interface TimedBlock {
  readonly kind: Kind;
  readonly codec: Codec;
  /** In the file's own time; never before the one of its kind that came before it. */
  readonly timeMs: number;
  readonly keyFrame: boolean;
  readonly data: Uint8Array;
  readonly size?: { readonly width: number; readonly height: number } | undefined;
  readonly codecPrivate?: Uint8Array | undefined;
  /** Arrival of its first packet; of silence, when it was known to be silence. */
  readonly atMs: number;
}

export type Emit = (block: TimedBlock) => void;
