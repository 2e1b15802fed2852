import type {
  DtlsFingerprint,
  IceCandidate,
  IceParameters,
  RtcpParameters,
  RtpCapabilities,
  RtpEncodingParameters,
  RtpHeaderExtensionParameters,
  RtpParameters,
} from 'mediasoup/types';
import type { Codec, Kind } from '../channel/media.ts';

/** A checked offer. Sections keep the offer's order; each is answered in its place, the unusable ones too. */
export interface Offer {
  /** Credentials of the transport that all usable sections share; a new ufrag is an ICE restart. */
  readonly ice: { readonly ufrag: string; readonly pwd: string };
  /** Strongest supported fingerprint first; at least one. */
  readonly fingerprints: readonly DtlsFingerprint[];
  /** Mids of the BUNDLE group in its order, the first being the offerer's tag; empty without a group. */
  readonly bundle: readonly string[];
  readonly sections: readonly OfferSection[];
}

export interface OfferSection {
  readonly index: number;
  /** A token (RFC 5888), unique in the offer; empty only in a rejected section that has none. */
  readonly mid: string;
  /** `application` and unknown media are kept so that they can be rejected in their place. */
  readonly type: string;
  readonly protocol: string;
  /** Payload types (or the data channel's format) as the m-line lists them, for a rejected section. */
  readonly formats: string;
  /** Port 0 without bundle-only, outside the BUNDLE group, or not RTP over DTLS: cannot be used. */
  readonly rejected: boolean;
  readonly direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
  /** In the m-line's order; payload types are unique, those of codecs known here are dynamic ones. */
  readonly codecs: readonly OfferCodec[];
  /** Ids 1..14 only, which the one-byte form can carry (RFC 8285); ids and URIs are unique. */
  readonly extensions: readonly OfferExtension[];
  /** `a=extmap-allow-mixed` here or for the session. */
  readonly allowsMixedExtensions: boolean;
  /** `a=rtcp-rsize`: RTCP of reduced size is understood (RFC 5506). */
  readonly reducedSizeRtcp: boolean;
  /**
   * Simulcast send rids in the offer's order, first alternative of each, without `~`; empty without
   * simulcast.
   */
  readonly rids: readonly string[];
  /** First media SSRC and its RTX by FID; absent when the offer signals none. */
  readonly ssrc?: { readonly media: number; readonly rtx?: number; readonly cname?: string };
}

export interface OfferCodec {
  /** As offered; compare without case. */
  readonly name: string;
  readonly payloadType: number;
  readonly clockRate: number;
  readonly channels?: number;
  /** Format parameters; numbers where they read as numbers, `profile-level-id` always a string. */
  readonly parameters: Readonly<Record<string, string | number>>;
  readonly feedback: readonly { readonly type: string; readonly parameter: string }[];
}

export interface OfferExtension {
  readonly id: number;
  readonly uri: string;
  readonly direction?: string;
}

/** What `transport.produce()` is called with, for each accepted section. */
export interface PublishPlan {
  readonly tracks: readonly PublishTrack[];
}

export interface PublishTrack {
  readonly mid: string;
  readonly kind: Kind;
  readonly codec: Codec;
  readonly rtpParameters: RtpParameters;
}

export interface PublishOptions {
  /** The server's order of preference; codecs left out are not accepted. */
  readonly codecs: readonly Codec[];
  readonly router: RtpCapabilities;
}

/** A published track as its viewers' answers need it. */
export interface ProducerDescription {
  readonly id: string;
  readonly kind: Kind;
  readonly codec: Codec;
  readonly consumableRtpParameters: RtpParameters;
}

/** What `transport.consume()` is called with, for each section that receives a track. */
export interface PlayPlan {
  readonly tracks: readonly PlayTrack[];
}

export interface PlayTrack {
  readonly mid: string;
  readonly kind: Kind;
  readonly producerId: string;
  /** The producer's consumable parameters with the viewer's own payload types and extension ids. */
  readonly consumable: RtpParameters;
  readonly rtpCapabilities: RtpCapabilities;
}

/** The server's end of the transport that is answered for. */
export interface TransportDescription {
  readonly iceParameters: IceParameters;
  readonly iceCandidates: readonly IceCandidate[];
  readonly fingerprints: readonly DtlsFingerprint[];
}

/**
 * Identity of an answer's session: the version grows with each answer for one transport (RFC 9429 section
 * 5.3.1).
 */
export interface AnswerOptions {
  readonly sessionId: string;
  readonly sessionVersion: number;
  /** Limit for the sender, in `b=TIAS` and `b=AS`; publish answers only. */
  readonly maxBitrateBps?: number;
}

/** What a consumer sends, in the section with its mid. */
export interface PlayedTrack {
  readonly mid: string;
  /**
   * MediaStream id, a token of 1 to 64 characters (RFC 8830); one for all tracks puts them in one
   * MediaStream.
   */
  readonly streamId: string;
  readonly rtpParameters: {
    readonly codecs: RtpParameters['codecs'];
    readonly headerExtensions?: readonly RtpHeaderExtensionParameters[];
    readonly encodings?: readonly RtpEncodingParameters[];
    readonly rtcp?: RtcpParameters;
  };
}
