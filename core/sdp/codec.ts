import { canConsume } from 'mediasoup/ortc';
import type { RtcpFeedback, RtpCodecCapability, RtpCodecParameters } from 'mediasoup/types';
import type { Codec, Kind } from '../channel/media.ts';
import type { OfferCodec, OfferSection } from './types.ts';

export const KIND_OF: Readonly<Record<Codec, Kind>> = {
  opus: 'audio',
  VP8: 'video',
  VP9: 'video',
  H264: 'video',
  AV1: 'video',
};

/** mediasoup refuses simulcast for the others; VP9 and AV1 carry their layers in one encoding. */
export const SIMULCAST_CODECS: readonly Codec[] = ['VP8', 'H264'];

const CODECS = Object.keys(KIND_OF) as Codec[];

/** The codec that an rtpmap names, whatever its case. */
export function knownCodec(kind: Kind, name: string): Codec | undefined {
  const lower = name.toLowerCase();
  return CODECS.find((codec) => codec.toLowerCase() === lower && KIND_OF[codec] === kind);
}

export function isRtx(codec: { readonly name: string }): boolean {
  return codec.name.toLowerCase() === 'rtx';
}

/**
 * Channels as mediasoup must be told. RFC 7587 section 7 has Opus always written with 2; an rtpmap that
 * leaves them out means the same, while mediasoup would read 1 and refuse it.
 */
export function channelsOf(kind: Kind, codec: OfferCodec): number | undefined {
  if (kind === 'video') return undefined;
  return codec.channels ?? (codec.name.toLowerCase() === 'opus' ? 2 : 1);
}

/**
 * Whether mediasoup takes an offered codec for `wanted`: name, clock rate, channels, and what each codec
 * adds: H264 packetization-mode and profile (RFC 6184 section 8.2.2), VP9 profile-id (RFC 9628 section 6), by
 * mediasoup's own rules; AV1 profile, which it leaves out.
 */
export function matchesStrictly(
  kind: Kind,
  offered: OfferCodec,
  wanted: RtpCodecCapability | RtpCodecParameters,
): boolean {
  const channels = channelsOf(kind, offered);
  const { parameters } = offered;
  const mimeType = `${kind}/${offered.name}`;
  if (mimeType.toLowerCase() === 'video/av1' && av1Profile(parameters) !== av1Profile(wanted.parameters)) {
    return false;
  }
  const wantedCodec: RtpCodecParameters = {
    mimeType: wanted.mimeType,
    payloadType: 96,
    clockRate: wanted.clockRate,
    ...(wanted.channels === undefined ? {} : { channels: wanted.channels }),
    parameters: wanted.parameters ?? {},
  };
  const offeredCodec: RtpCodecCapability = {
    kind,
    mimeType,
    preferredPayloadType: 96,
    clockRate: offered.clockRate,
    ...(channels === undefined ? {} : { channels }),
    parameters: { ...parameters },
  };
  return canConsume({ codecs: [wantedCodec] }, { codecs: [offeredCodec] });
}

/** The retransmission format of a codec (RFC 4588 section 8.1), if the section offers one. */
export function rtxOf(section: OfferSection, codec: OfferCodec): OfferCodec | undefined {
  return section.codecs.find(
    (other) =>
      isRtx(other) && other.parameters.apt === codec.payloadType && other.clockRate === codec.clockRate,
  );
}

/** The same for mediasoup, which knows RTX for video only. */
export function rtxParameters(rtx: OfferCodec, codec: OfferCodec): RtpCodecParameters {
  return {
    mimeType: 'video/rtx',
    payloadType: rtx.payloadType,
    clockRate: rtx.clockRate,
    parameters: { apt: codec.payloadType },
    rtcpFeedback: [],
  };
}

/** Feedback both offered and known to mediasoup for the codec, in the offer's order. */
export function commonFeedback(
  offered: OfferCodec,
  known: readonly RtcpFeedback[] | undefined,
): { type: string; parameter: string }[] {
  return offered.feedback
    .filter(({ type, parameter }) =>
      known?.some((other) => other.type === type && (other.parameter ?? '') === parameter),
    )
    .map(({ type, parameter }) => ({ type, parameter }));
}

/** Names of the codecs of a kind that a section offers, each once, for messages. */
export function offeredNames(sections: readonly OfferSection[]): string {
  const names = sections.flatMap((section) =>
    section.codecs.filter((codec) => !isRtx(codec)).map(describeCodec),
  );
  return [...new Set(names)].slice(0, 20).join(', ') || 'none';
}

/** The name with what decides about a match. */
export function describeCodec(codec: {
  readonly name: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}): string {
  const details = ['packetization-mode', 'profile-level-id', 'profile-id', 'profile']
    .filter((key) => codec.parameters[key] !== undefined)
    .map((key) => `${key}=${String(codec.parameters[key]).slice(0, 16)}`);
  const name = codec.name.slice(0, 20);
  return details.length > 0 ? `${name} (${details.join(', ')})` : name;
}

function av1Profile(parameters: Readonly<Record<string, unknown>> | undefined): string {
  return String(parameters?.profile ?? 0);
}
