import type { RtpCodecCapability, RtpEncodingParameters, RtpParameters } from 'mediasoup/types';
import type { Codec, Kind } from '../channel/media.ts';
import { MillraceError } from '../protocol/error.ts';
import {
  channelsOf,
  commonFeedback,
  KIND_OF,
  knownCodec,
  matchesStrictly,
  mediaParameters,
  offeredNames,
  rtxOf,
  SIMULCAST_CODECS,
} from './codec.ts';
import {
  commonExtensions,
  DEPENDENCY_DESCRIPTOR_URI,
  type KnownExtension,
  MID_URI,
  RID_URI,
} from './extension.ts';
import { invalidSdp } from './invalid-sdp.ts';
import { describeSection } from './offer-section.ts';
import { isKind, sends } from './section-use.ts';
import type { Offer, OfferCodec, OfferSection, PublishOptions, PublishPlan, PublishTrack } from './types.ts';

/**
 * What to produce for an offer: the first usable sending audio section and the first such video section, each with one codec, by the
 * server's order among those offered that the router matches strictly, and its RTX; never more, since mediasoup's
 * `produce()` throws on what it does not match. Payload types and extension ids stay the offer's.
 *
 * @throws MillraceError no_common_codec when nothing can be produced; invalid_sdp when nothing is sent, when simulcast is offered
 *   without a codec for it, or when packets of a track could not be told from another's.
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

function planTrack(section: OfferSection, { codecs, router }: PublishOptions): PublishTrack | undefined {
  const kind = section.type;
  if (!isKind(kind)) return undefined;
  const knownUris = (router.headerExtensions ?? [])
    .filter((known) => known.kind === kind)
    .map(({ uri }) => uri);
  const layered = section.rids.length > 1 && section.extensions.some(({ uri }) => uri === RID_URI);
  const accepted = codecs.filter((codec) => !layered || kind === 'audio' || SIMULCAST_CODECS.includes(codec));
  const choice = chooseCodec(section, kind, accepted, router.codecs ?? []);
  if (!choice) {
    if (layered && chooseCodec(section, kind, codecs, router.codecs ?? [])) {
      throw invalidSdp(
        `${describeSection(section.index, kind, section.mid)}: simulcast (${section.rids.length} rids) needs VP8 or H264, offered are ${offeredNames([section])}, this server accepts ${codecs.join(', ')}; send one encoding, or offer a codec for simulcast`,
      );
    }
    return undefined;
  }
  const { codec, offered, capability } = choice;
  const extensions = commonExtensions(section, 'sends', codec, knownUris);
  const rtx = hasRtx(capability, router.codecs ?? []) ? rtxOf(section, offered) : undefined;
  const channels = channelsOf(kind, offered);
  const rtpParameters: RtpParameters = {
    mid: section.mid,
    codecs: [
      {
        mimeType: capability.mimeType,
        payloadType: offered.payloadType,
        clockRate: offered.clockRate,
        ...(channels === undefined ? {} : { channels }),
        parameters: mediaParameters(offered),
        rtcpFeedback: commonFeedback(offered, capability.rtcpFeedback),
      },
      ...(rtx
        ? [
            {
              mimeType: `${kind}/rtx`,
              payloadType: rtx.payloadType,
              clockRate: rtx.clockRate,
              parameters: { apt: offered.payloadType },
              rtcpFeedback: [],
            },
          ]
        : []),
    ],
    headerExtensions: extensions.map(({ uri, id }) => ({ uri, id, encrypt: false, parameters: {} })),
    encodings: planEncodings(section, codec, extensions, rtx !== undefined),
    rtcp: {
      ...(section.ssrc?.cname === undefined ? {} : { cname: section.ssrc.cname }),
      reducedSize: true,
    },
  };
  return { mid: section.mid, kind, codec, rtpParameters };
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

/**
 * How the worker finds the track that a packet belongs to: by rid where the rid extension is negotiated, else by SSRC,
 * else, with an empty encoding, by mid and payload type.
 */
function planEncodings(
  section: OfferSection,
  codec: Codec,
  extensions: readonly KnownExtension[],
  retransmits: boolean,
): RtpEncodingParameters[] {
  const has = (uri: string) => extensions.some((extension) => extension.uri === uri);
  const layers = scalabilityMode(codec, section.rids.length, has(DEPENDENCY_DESCRIPTOR_URI));
  if (section.rids.length > 0 && has(RID_URI)) return section.rids.map((rid) => ({ rid, ...layers }));
  const { ssrc } = section;
  if (!ssrc && !has(MID_URI)) {
    throw invalidSdp(
      `${describeSection(section.index, section.type, section.mid)}: neither a=ssrc nor the header extension ${MID_URI} is offered, so its packets could not be recognised`,
    );
  }
  // An SSRC without its RTX SSRC would have retransmissions dropped; mid and payload type find both.
  if (!ssrc || (retransmits && ssrc.rtx === undefined && has(MID_URI))) return [{ ...layers }];
  return [
    {
      ssrc: ssrc.media,
      ...(retransmits && ssrc.rtx !== undefined ? { rtx: { ssrc: ssrc.rtx } } : {}),
      ...layers,
    },
  ];
}

/**
 * The layers to be ready for. SDP does not say how many a sender sends, so this is the most that browsers do. mediasoup
 * drops packets of layers above the announced ones, so too few would cost picture; too many costs nothing: it
 * chooses among layers that carry bits, and a sender with one layer (L1T1) is forwarded whole. Not a
 * `_KEY` mode: taken for K-SVC, a full-SVC sender's lower layers would be missing, while K-SVC taken for full SVC only
 * sends some unneeded packets.
 *
 * AV1 without the dependency descriptor is one layer: mediasoup sees neither layers nor key frames in it, and
 * would wait for a key frame for ever. Simulcast streams of Chromium's VP8 have three temporal layers by themselves.
 */
function scalabilityMode(
  codec: Codec,
  rids: number,
  describesDependencies: boolean,
): Pick<RtpEncodingParameters, 'scalabilityMode'> {
  if (codec === 'VP9' || (codec === 'AV1' && describesDependencies)) return { scalabilityMode: 'L3T3' };
  if (rids > 1 && SIMULCAST_CODECS.includes(codec)) return { scalabilityMode: 'L1T3' };
  return {};
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
