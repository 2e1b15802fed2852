import type { Kind } from '../core/channel/media.ts';

/** A whole frame of a track, in the order of decoding. */
export interface Frame {
  readonly track: number;
  readonly kind: Kind;
  /** The encoding that it came in; timestamps of different ones are told apart by sender reports only. */
  readonly ssrc: number;
  /** Unwrapped: counts on beyond 2^32. In the track's clock. */
  readonly rtpTimestamp: number;
  /** Every Opus packet is one. */
  readonly keyFrame: boolean;
  /** As WebM holds it; may be a view of the packet that it came in. */
  readonly data: Uint8Array;
  /** Of a key frame; of VP9 also where spatial layers come or go without one. */
  readonly size?: { readonly width: number; readonly height: number };
  /** Of a key frame of AV1: WebM's CodecPrivate, the body of `av1C`. */
  readonly codecPrivate?: Uint8Array;
  /** Of audio, in the track's clock. */
  readonly duration?: number;
  /** Something was lost between the frame before and this one. A video frame needs nothing that was lost: most are key frames then. */
  readonly afterLoss: boolean;
  /** Arrival of its first packet by the receiver's clock. */
  readonly atMs: number;
}

/** RTP and wall clock of the sender at one moment (RFC 3550 section 6.4.1). */
export interface SenderReport {
  readonly ssrc: number;
  /** Of the last mediasoup hop; comparable between tracks of one receiver only. */
  readonly ntpMs: number;
  /** As on the wire: 32 bits. */
  readonly rtpTimestamp: number;
  readonly atMs: number;
}
