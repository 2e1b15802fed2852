import type { RtpCodecCapability, RtpHeaderExtensionUri, RtpParameters } from 'mediasoup/types';
import type { Codec, Kind } from '../channel/media.ts';
import { MillraceError } from '../protocol/error.ts';
import {
  channelsOf,
  commonFeedback,
  KIND_OF,
  knownCodec,
  matchesStrictly,
  offeredNames,
  rtxOf,
  rtxParameters,
  SIMULCAST_CODECS,
} from './codec.ts';
import { planEncodings } from './encoding.ts';
import { commonExtensions, hasUri, RID_URI } from './extension.ts';
import { invalidSdp } from './invalid-sdp.ts';
import { describeSection } from './offer-section.ts';
import { isKind, sends } from './section-use.ts';
import type { Offer, OfferCodec, OfferSection, PublishOptions, PublishPlan, PublishTrack } from './types.ts';

/**
 * What to produce for an offer: the first usable sending audio section and the first such video section, each
 * with one codec, by the server's order among those offered that the router matches strictly, and its RTX;
 * never more, since mediasoup's `produce()` throws on what it does not match. Payload types and extension ids
 * stay the offer's.
 *
 * @throws MillraceError no_common_codec when nothing can be produced; invalid_sdp when nothing is sent, when
 *   simulcast is offered without a codec for it, or when packets of a track could not be told from another's.
 */
export function planPublish(offer: Offer, options: PublishOptions): PublishPlan {
  const sending = offer.sections.filter(sends);
  if (sending.length === 0) {
    throw invalidSdp('nothing is sent: no usable audio or video section is sendonly or sendrecv');
  }
  const tracks: PublishTrack[] = [];
  for (const section of sending) {
    if (tracks.some(({ kind }) => kind === section.type)) continue;
    const track = planTrack(section, options);
    if (track) tracks.push(track);
  }
  if (tracks.length === 0) {
    throw new MillraceError(
      'no_common_codec',
      `no common codec: offered are ${offeredNames(sending)}; this server accepts ${options.codecs.join(', ')}`,
    );
  }
  checkSsrcs(tracks);
  return { tracks };
}

function planTrack(section: OfferSection, options: PublishOptions): PublishTrack | undefined {
  const kind = section.type;
  if (!isKind(kind)) return undefined;
  const capabilities = options.router.codecs ?? [];
  const choice = chooseCodec(section, kind, acceptedCodecs(section, options), capabilities);
  if (!choice) {
    if (chooseCodec(section, kind, options.codecs, capabilities)) throw simulcastRefused(section, options);
    return undefined;
  }
  const { codec, offered, capability } = choice;
  const extensions = commonExtensions(section, 'sends', codec, knownUris(kind, options));
  const rtx = hasRtx(capability, capabilities) ? rtxOf(section, offered) : undefined;
  const channels = channelsOf(kind, offered);
  const rtpParameters: RtpParameters = {
    mid: section.mid,
    codecs: [
      {
        mimeType: capability.mimeType,
        payloadType: offered.payloadType,
        clockRate: offered.clockRate,
        ...(channels === undefined ? {} : { channels }),
        parameters: { ...offered.parameters },
        rtcpFeedback: commonFeedback(offered, capability.rtcpFeedback),
      },
      ...(rtx ? [rtxParameters(rtx, offered)] : []),
    ],
    headerExtensions: extensions.map(({ uri, id }) => ({ uri, id, encrypt: false, parameters: {} })),
    encodings: planEncodings({ section, codec, extensions, retransmits: rtx !== undefined }),
    rtcp: {
      ...(section.ssrc?.cname === undefined ? {} : { cname: section.ssrc.cname }),
      reducedSize: true,
    },
  };
  return { mid: section.mid, kind, codec, rtpParameters };
}

function knownUris(kind: Kind, { router }: PublishOptions): RtpHeaderExtensionUri[] {
  return (router.headerExtensions ?? []).filter((known) => known.kind === kind).map(({ uri }) => uri);
}

/**
 * Several rids can only be told apart where their header extension is negotiated; else the sender falls back
 * to one encoding.
 */
function acceptedCodecs(section: OfferSection, options: PublishOptions): readonly Codec[] {
  if (section.rids.length < 2 || !isKind(section.type)) return options.codecs;
  const simulcast = options.codecs.filter((codec) => SIMULCAST_CODECS.includes(codec));
  const uris = knownUris(section.type, options);
  return hasUri(commonExtensions(section, 'sends', 'VP8', uris), RID_URI) ? simulcast : options.codecs;
}

function simulcastRefused(section: OfferSection, { codecs }: PublishOptions): MillraceError {
  const { index, type, mid, rids } = section;
  return invalidSdp(
    `${describeSection(index, type, mid)}: simulcast (${rids.length} rids) needs VP8 or H264; offered are ${offeredNames([section])}, this server accepts ${codecs.join(', ')}; send one encoding, or offer a codec for simulcast`,
  );
}

interface Choice {
  readonly codec: Codec;
  readonly offered: OfferCodec;
  readonly capability: RtpCodecCapability;
}

function chooseCodec(
  section: OfferSection,
  kind: Kind,
  accepted: readonly Codec[],
  capabilities: readonly RtpCodecCapability[],
): Choice | undefined {
  for (const codec of accepted) {
    if (KIND_OF[codec] !== kind) continue;
    for (const offered of section.codecs) {
      if (knownCodec(kind, offered.name) !== codec) continue;
      const capability = capabilities.find((entry) => matchesStrictly(kind, offered, entry));
      if (capability) return { codec, offered, capability };
    }
  }
  return undefined;
}

function hasRtx(capability: RtpCodecCapability, capabilities: readonly RtpCodecCapability[]): boolean {
  return capabilities.some(
    (entry) =>
      entry.mimeType.toLowerCase() === 'video/rtx' &&
      entry.parameters?.apt === capability.preferredPayloadType,
  );
}

/** One transport cannot receive two tracks with one SSRC: the worker refuses the second. */
function checkSsrcs(tracks: readonly PublishTrack[]): void {
  const seen = new Set<number>();
  for (const { mid, rtpParameters } of tracks) {
    for (const { ssrc, rtx } of rtpParameters.encodings ?? []) {
      for (const used of [ssrc, rtx?.ssrc]) {
        if (used === undefined) continue;
        if (seen.has(used)) throw invalidSdp(`SSRC ${used} of mid ${mid} is used by another stream too`);
        seen.add(used);
      }
    }
  }
}
