import type { RtcpFeedback } from 'mediasoup/types';
import type { WrittenMedia } from 'sdp-transform';
import { answeredDirection } from './extension.ts';
import { invalidSdp } from './invalid-sdp.ts';
import type { OfferCodec, OfferSection, TransportDescription } from './types.ts';

/** What an accepted section of an answer says beyond its transport. */
export interface AcceptedMedia {
  readonly section: OfferSection;
  /** Offered payload types, best first, each with the feedback that was agreed on. */
  readonly codecs: readonly {
    readonly payloadType: number;
    readonly rtcpFeedback?: readonly RtcpFeedback[];
  }[];
  readonly extensions: readonly { readonly id: number }[];
  /** Ours where the offerer does its half; `inactive` where it pauses (RFC 9429 section 5.3.1). */
  readonly direction: 'sendonly' | 'recvonly';
}

/**
 * An accepted section (RFC 9429 section 5.3.1). rtpmap and fmtp are the offer's own: what an offerer wrote it
 * understands, while another spelling or H264 level could fail to match its codec. Transport attributes stand
 * in each section, not only in the tagged one, since clients differ in where they look.
 */
export function acceptedSection(media: AcceptedMedia, transport: TransportDescription): WrittenMedia {
  const { section } = media;
  const codecs = media.codecs.map(({ payloadType, rtcpFeedback = [] }) => ({
    offered: offeredCodec(section, payloadType),
    rtcpFeedback,
  }));
  const ids = new Set(media.extensions.map(({ id }) => id));
  return {
    ...defaultDestination(transport),
    type: section.type,
    protocol: section.protocol,
    payloads: codecs.map(({ offered }) => offered.payloadType).join(' '),
    mid: section.mid,
    direction: section.direction === 'inactive' ? 'inactive' : media.direction,
    ...transportAttributes(transport),
    rtcpMux: 'rtcp-mux',
    ...(section.reducedSizeRtcp ? { rtcpRsize: 'rtcp-rsize' } : {}),
    ...(section.allowsMixedExtensions ? { extmapAllowMixed: 'extmap-allow-mixed' } : {}),
    rtp: codecs.map(({ offered }) => ({
      payload: offered.payloadType,
      codec: offered.name,
      rate: offered.clockRate,
      ...(offered.channels === undefined ? {} : { encoding: offered.channels }),
    })),
    fmtp: codecs
      .filter(({ offered }) => Object.keys(offered.parameters).length > 0)
      .map(({ offered }) => ({ payload: offered.payloadType, config: formatParameters(offered) })),
    rtcpFb: codecs.flatMap(({ offered, rtcpFeedback }) =>
      rtcpFeedback.map(({ type, parameter }) => ({
        payload: offered.payloadType,
        type,
        ...(parameter ? { subtype: parameter } : {}),
      })),
    ),
    ext: section.extensions
      .filter(({ id }) => ids.has(id))
      .map((extension) => {
        const direction = answeredDirection(extension);
        return { value: extension.id, ...(direction ? { direction } : {}), uri: extension.uri };
      }),
  };
}

/** A section that is not used keeps its place, with port 0 (RFC 9429 section 5.3.1). */
export function rejectedSection(section: OfferSection): WrittenMedia {
  return {
    type: section.type,
    port: 0,
    protocol: section.protocol,
    payloads: section.formats,
    connection: { version: 4, ip: '0.0.0.0' },
    ...(section.mid === '' ? {} : { mid: section.mid }),
    direction: 'inactive',
  };
}

function offeredCodec(section: OfferSection, payloadType: number): OfferCodec {
  const codec = section.codecs.find((entry) => entry.payloadType === payloadType);
  // Only another offer's plan can get here.
  if (!codec) throw invalidSdp(`mid ${section.mid} does not offer payload type ${payloadType}`);
  return codec;
}

function formatParameters(codec: OfferCodec): string {
  return Object.entries(codec.parameters)
    .map(([key, value]) => (value === '' ? key : `${key}=${value}`))
    .join(';');
}

/**
 * The first UDP candidate (RFC 8839 section 4.2.1.2); a candidate by name cannot be one, so then as for
 * trickle ICE (RFC 8840 section 4.1.1).
 */
function defaultDestination({
  iceCandidates,
}: TransportDescription): Pick<WrittenMedia, 'port' | 'connection'> {
  const candidate = iceCandidates.find(({ protocol }) => protocol === 'udp') ?? iceCandidates[0];
  const address = candidate?.address ?? '';
  if (candidate && /^\d+\.\d+\.\d+\.\d+$/.test(address)) {
    return { port: candidate.port, connection: { version: 4, ip: address } };
  }
  if (candidate && address.includes(':')) {
    return { port: candidate.port, connection: { version: 6, ip: address } };
  }
  return { port: 9, connection: { version: 4, ip: '0.0.0.0' } };
}

function transportAttributes({ iceParameters, iceCandidates, fingerprints }: TransportDescription) {
  const fingerprint = fingerprints.find(({ algorithm }) => algorithm === 'sha-256') ?? fingerprints[0];
  return {
    iceUfrag: iceParameters.usernameFragment,
    icePwd: iceParameters.password,
    iceOptions: 'renomination',
    ...(fingerprint ? { fingerprint: { type: fingerprint.algorithm, hash: fingerprint.value } } : {}),
    setup: 'passive',
    candidates: iceCandidates.map((candidate) => ({
      foundation: candidate.foundation,
      component: 1,
      transport: candidate.protocol,
      priority: candidate.priority,
      ip: candidate.address,
      port: candidate.port,
      type: candidate.type,
      ...(candidate.tcpType ? { tcptype: candidate.tcpType } : {}),
    })),
    endOfCandidates: 'end-of-candidates' as const,
  };
}
