import type { Codec, Kind } from '../core/channel/media.ts';

/**
 * What the receiver tells the muxer, in order. `atMs` is the receiver's monotonic clock, which runs on while
 * muxers come and go; it is never compared with another process' clock, nor with the time of day.
 */
export type SourceEvent =
  /** The receiver's first event to every muxer: `unixMs` is the time of day at `atMs`, read once. */
  | { readonly type: 'hello'; readonly receiver: string; readonly unixMs: number; readonly atMs: number }
  /**
   * A track begins. The sender's numbers tell its packets apart. While one publication, or one media server,
   * takes another's place, two tracks of a kind may come at once for a second.
   */
  | ({ readonly type: 'track'; readonly atMs: number } & SourceTrack)
  /** A packet of a track, as it came off the wire (RFC 3550 section 5.1). */
  | { readonly type: 'rtp'; readonly packet: Uint8Array; readonly atMs: number }
  /** A compound packet with sender reports (RFC 3550 section 6.4.1). */
  | { readonly type: 'rtcp'; readonly packet: Uint8Array; readonly atMs: number }
  /** Packets that were under way may come a moment later, or a moment ahead of the end of a mute. */
  | { readonly type: 'muted'; readonly track: number; readonly muted: boolean; readonly atMs: number }
  /** The track ends: its publisher went, or the pipe was lost. Others of its kind may follow. */
  | { readonly type: 'ended'; readonly track: number; readonly atMs: number }
  /** Ten times a second, so that time passes without media too. */
  | { readonly type: 'tick'; readonly atMs: number };

export interface SourceTrack {
  /** Counted by the receiver, never used again. */
  readonly track: number;
  readonly kind: Kind;
  readonly codec: Codec;
  readonly clockRateHz: number;
  /** The same for a recorder that joins later: equal ids mean equal RTP timestamps. */
  readonly producerId: string;
  readonly payloadType: number;
  /** Simulcast encodings, lowest first; one without simulcast. */
  readonly ssrcs: readonly number[];
  readonly muted: boolean;
}

/** What the muxer asks of the receiver. */
export type MuxerRequest =
  | { readonly type: 'key-frame'; readonly track: number }
  /** Events before this one are durable: they need not be kept for another muxer. */
  | { readonly type: 'durable'; readonly atMs: number };
