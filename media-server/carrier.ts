import type { Producer } from 'mediasoup/types';
import type { Codec, Kind } from '../core/channel/media.ts';
import type { MediaWorker } from './worker.ts';

/** A track of a stream, as a router here has it. */
export interface CarriedTrack {
  readonly plan: { readonly kind: Kind; readonly codec: Codec };
  readonly producer: Producer;
}

/**
 * One generation of a stream on a worker here, whether it came from its publisher or was pulled from another
 * media server: what plays and pulls take.
 */
export interface Carrier {
  readonly worker: MediaWorker;
  readonly epoch: number;
  /** Differs from that of every other carrier of the stream here. */
  readonly generation: string;
  readonly producers: readonly CarriedTrack[];
  readonly closed: boolean;
  /** A newer one took its place; it stays for those that need a moment to follow. */
  readonly retired: boolean;
  /** @returns the way to stop watching */
  watch(): () => void;
}

/** What a change of tracks in place means for viewers. */
export interface TrackChange {
  readonly added: boolean;
  /** A track that viewers have has another producer now: theirs is dead. */
  readonly replaced: boolean;
}
