import type { Codec } from '../core/channel/media.ts';
import type { NodeId } from '../core/registry/record.ts';

/** What a media server is told from outside; cli/ parses it. */
export interface MediaServerSettings {
  readonly nodeId: NodeId;
  readonly version: string;
  /** Where the internal channel of this node is reached; `local` within one process. */
  readonly address: string;
  /** Path of the patched mediasoup worker. */
  readonly workerBin: string;
  /** Worker processes, at least 1. */
  readonly workers: number;
  /**
   * Addresses for media; empty = every address of this machine that a client could reach. An unspecified
   * `ip` (0.0.0.0 or ::) without `announcedAddress` stands for all addresses of its family.
   */
  readonly rtcListen: readonly RtcAddress[];
  /** UDP and TCP port of the first worker; each further worker takes the next. 0 = any free ports. */
  readonly rtcPort: number;
  /** Address of this machine at which other processes reach pipes. */
  readonly pipeListen: string;
  /** UDP ports of those pipes, one each; absent = any. */
  readonly pipePorts?: PortRange | undefined;
  /** Media servers that may pull one stream from this one; further ones pull it from those. */
  readonly fanOut: number;
  /** What a publisher may send when it names no limit, 0 = `maxBitrateBps`. */
  readonly defaultBitrateBps: number;
  /** Upper limit for every publisher. */
  readonly maxBitrateBps: number;
  /** In order of preference; codecs left out are not accepted. */
  readonly codecs: readonly Codec[];
  /** A peer that answers no consent check for this long is lost (RFC 7675). */
  readonly iceConsentTimeoutS: number;
  /** A peer that has not connected after three times this is given up. */
  readonly connectTimeoutMs: number;
  /** How long a publication whose transport is lost is kept for its publisher to come back. */
  readonly lostMediaTimeoutMs: number;
  /** How long the old one of two generations, or of two transports of a viewer, is kept at most. */
  readonly generationOverlapMs: number;
  /** A publication without media for this long is not live: another publisher may take its name. */
  readonly mediaIdleMs: number;
  readonly limits: { readonly streams: number; readonly viewers: number };
}

/** Both included. */
export interface PortRange {
  readonly min: number;
  readonly max: number;
}

export interface RtcAddress {
  readonly ip: string;
  /** What clients are told instead of `ip`, where address translation stands between. */
  readonly announcedAddress?: string;
}
