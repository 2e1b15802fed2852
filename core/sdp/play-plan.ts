import type { RtpCapabilities, RtpCodecParameters, RtpParameters } from 'mediasoup/types';
import { MillraceError } from '../protocol/error.ts';
import {
  commonFeedback,
  describeCodec,
  isRtx,
  matchesStrictly,
  offeredNames,
  rtxOf,
  rtxParameters,
} from './codec.ts';
import { commonExtensions, type KnownExtension, MID_URI, TRANSPORT_CC_URI } from './extension.ts';
import { invalidSdp } from './invalid-sdp.ts';
import { receives } from './section-use.ts';
import type { Offer, OfferCodec, OfferSection, PlayPlan, PlayTrack, ProducerDescription } from './types.ts';

/**
 * The worker has room for 8 bytes and leaves another viewer's mid in the packet when there are more. A mid is
 * a token, so its characters are bytes.
 */
const MAX_MID_BYTES = 8;

/**
 * What to consume for an offer: for each kind that the stream has, the first receiving section that offers
 * its codec, with the viewer's payload types and extension ids. One audio and one video track at most.
 *
 * @throws MillraceError no_common_codec when no track can be received for lack of a codec; invalid_sdp when
 *   nothing is received, or only kinds that the stream lacks.
 */
export function planPlay(offer: Offer, producers: readonly ProducerDescription[]): PlayPlan {
  const receiving = offer.sections.filter(receives);
  if (receiving.length === 0) {
    throw invalidSdp('nothing is received: no usable audio or video section is recvonly or sendrecv');
  }
  const tracks: PlayTrack[] = [];
  for (const section of receiving) {
    if (tracks.some(({ kind }) => kind === section.type)) continue;
    const producer = producers.find(({ kind }) => kind === section.type);
    const track = producer && planTrack(section, producer);
    if (track) tracks.push(track);
  }
  if (tracks.length === 0) throw nothingPlayable(receiving, producers);
  return { tracks };
}

function planTrack(section: OfferSection, producer: ProducerDescription): PlayTrack | undefined {
  const { id: producerId, kind, consumableRtpParameters } = producer;
  const [media, ...others] = consumableRtpParameters.codecs;
  if (!media) return undefined;
  const offered = section.codecs.find((entry) => !isRtx(entry) && matchesStrictly(kind, entry, media));
  if (!offered) return undefined;
  const rtx = others.some((entry) => /\/rtx$/i.test(entry.mimeType)) ? rtxOf(section, offered) : undefined;
  const codecs = viewerCodecs(media, offered, rtx);
  const extensions = viewerExtensions(section, producer, codecs[0]);
  const consumable: RtpParameters = {
    ...consumableRtpParameters,
    codecs,
    headerExtensions: extensions.map(({ uri, id }) => ({ uri, id, encrypt: false, parameters: {} })),
  };
  const rtpCapabilities: RtpCapabilities = {
    codecs: codecs.map(({ payloadType, ...entry }) => ({
      ...entry,
      kind,
      preferredPayloadType: payloadType,
    })),
    headerExtensions: extensions.map(({ uri, id }) => ({
      kind,
      uri,
      preferredId: id,
      preferredEncrypt: false,
      direction: 'sendrecv',
    })),
  };
  return { mid: section.mid, kind, producerId, consumable, rtpCapabilities };
}

/** The format parameters stay the publisher's: they describe what is sent. */
function viewerCodecs(
  media: RtpCodecParameters,
  offered: OfferCodec,
  rtx: OfferCodec | undefined,
): [RtpCodecParameters, ...RtpCodecParameters[]] {
  const codec = {
    ...media,
    payloadType: offered.payloadType,
    rtcpFeedback: commonFeedback(offered, media.rtcpFeedback),
  };
  return rtx ? [codec, rtxParameters(rtx, offered)] : [codec];
}

/**
 * mediasoup reads congestion control off the extensions: with transport-wide numbers it drops REMB. So the
 * extension without its feedback would leave such a viewer with neither.
 */
function viewerExtensions(
  section: OfferSection,
  { codec, consumableRtpParameters }: ProducerDescription,
  media: RtpCodecParameters,
): KnownExtension[] {
  const knownUris = (consumableRtpParameters.headerExtensions ?? []).map(({ uri }) => uri);
  const reportsTransportWide = media.rtcpFeedback?.some(({ type }) => type === 'transport-cc');
  return commonExtensions(section, 'receives', codec, knownUris).filter(
    ({ uri }) =>
      (uri !== MID_URI || section.mid.length <= MAX_MID_BYTES) &&
      (uri !== TRANSPORT_CC_URI || reportsTransportWide),
  );
}

function nothingPlayable(
  receiving: readonly OfferSection[],
  producers: readonly ProducerDescription[],
): MillraceError {
  const wanted = producers.filter(({ kind }) => receiving.some(({ type }) => type === kind));
  if (wanted.length === 0) {
    const has = producers.map(({ kind }) => kind).join(' and ') || 'no tracks';
    const receives = [...new Set(receiving.map(({ type }) => type))].join(' and ');
    return invalidSdp(
      `the stream has ${has}, the offer receives ${receives}; offer a recvonly section for what it has`,
    );
  }
  const lacking = wanted.map(({ kind, consumableRtpParameters }) => {
    const [media] = consumableRtpParameters.codecs;
    const name = describeCodec({
      name: media?.mimeType.split('/')[1] ?? '',
      parameters: media?.parameters ?? {},
    });
    const offered = offeredNames(receiving.filter(({ type }) => type === kind));
    return `its ${kind} is ${name}, offered are ${offered}`;
  });
  return new MillraceError('no_common_codec', `no common codec with the stream: ${lacking.join('; ')}`);
}
