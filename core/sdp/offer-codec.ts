import type { ParsedMedia } from 'sdp-transform';
import { isRtx, knownCodec } from './codec.ts';
import { invalidSdp, quoted } from './invalid-sdp.ts';
import type { OfferCodec } from './types.ts';

/** A payload type is 7 bits wide, so no section can offer more. */
const MAX_PAYLOAD_TYPE = 127;
const MAX_PARAMETERS = 32;
const MAX_FEEDBACK = 32;

/**
 * The codecs of an audio or video section in the m-line's order; static payload types without an rtpmap are
 * left out.
 *
 * @throws MillraceError invalid_sdp for payload types that no RTP packet can carry or that mean two things.
 */
export function readCodecs(media: ParsedMedia, kind: 'audio' | 'video', where: string): OfferCodec[] {
  const payloadTypes = readPayloadTypes(media, where);
  const maps = readRtpmaps(media, payloadTypes, where);
  const codecs: OfferCodec[] = [];
  for (const payloadType of payloadTypes) {
    const map = maps.get(payloadType);
    if (!map) continue;
    const codec: OfferCodec = {
      name: map.name,
      payloadType,
      clockRate: map.clockRate,
      ...(map.channels === undefined ? {} : { channels: map.channels }),
      parameters: readParameters(media, payloadType, isRtx(map)),
      feedback: readFeedback(media, payloadType),
    };
    if ((knownCodec(kind, codec.name) || isRtx(codec)) && !isDynamic(payloadType)) {
      throw invalidSdp(
        `${where}: ${codec.name} has payload type ${payloadType}, which is not dynamic; use 96..127 or 35..63`,
      );
    }
    codecs.push(codec);
  }
  return codecs;
}

/** What RFC 3551 section 3 leaves dynamic, and what RFC 5761 section 4 leaves of the rest beside RTCP. */
function isDynamic(payloadType: number): boolean {
  return (payloadType >= 96 && payloadType <= 127) || (payloadType >= 35 && payloadType <= 63);
}

function readPayloadTypes(media: ParsedMedia, where: string): number[] {
  const payloadTypes = new Set<number>();
  for (const format of String(media.payloads ?? '').split(' ')) {
    const payloadType = /^(0|[1-9]\d{0,2})$/.test(format) ? Number(format) : Number.NaN;
    if (!(payloadType <= MAX_PAYLOAD_TYPE)) {
      throw invalidSdp(`${where}: payload type ${quoted(format)} is not a number from 0 to 127`);
    }
    if (payloadTypes.has(payloadType)) {
      throw invalidSdp(`${where}: payload type ${payloadType} is listed twice in the m= line`);
    }
    payloadTypes.add(payloadType);
  }
  return [...payloadTypes];
}

interface Rtpmap {
  readonly name: string;
  readonly clockRate: number;
  readonly channels: number | undefined;
}

function readRtpmaps(media: ParsedMedia, listed: readonly number[], where: string): Map<number, Rtpmap> {
  const maps = new Map<number, Rtpmap>();
  for (const rtp of media.rtp) {
    const payloadType = rtp.payload;
    if (typeof payloadType !== 'number' || !listed.includes(payloadType)) continue;
    const map = toRtpmap(rtp);
    if (!map) {
      throw invalidSdp(`${where}: a=rtpmap:${payloadType} is not name/rate or name/rate/channels`);
    }
    const earlier = maps.get(payloadType);
    if (earlier && describeRtpmap(earlier) !== describeRtpmap(map)) {
      throw invalidSdp(
        `${where}: payload type ${payloadType} is both ${describeRtpmap(earlier)} and ${describeRtpmap(map)}`,
      );
    }
    maps.set(payloadType, map);
  }
  return maps;
}

function toRtpmap(rtp: ParsedMedia['rtp'][number]): Rtpmap | undefined {
  const name = String(rtp.codec ?? '');
  if (name === '' || name.length > 64 || !isCount(rtp.rate)) return undefined;
  if (rtp.encoding !== undefined && !isCount(rtp.encoding)) return undefined;
  return { name, clockRate: rtp.rate, channels: rtp.encoding };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 31;
}

/** `name/rate/channels`, to compare and to show. */
export function describeRtpmap(map: {
  readonly name: string;
  readonly clockRate: number;
  readonly channels?: number | undefined;
}): string {
  return `${map.name.toLowerCase()}/${map.clockRate}/${map.channels ?? 1}`;
}

/**
 * `apt` is RTX's alone (RFC 4588 section 8.1): mediasoup refuses to produce a codec that has another's in its
 * parameters.
 */
function readParameters(
  media: ParsedMedia,
  payloadType: number,
  rtx: boolean,
): Record<string, string | number> {
  const parameters = new Map<string, string | number>();
  for (const { payload, config } of media.fmtp) {
    if (payload !== payloadType || config === undefined) continue;
    for (const part of String(config).split(';')) {
      const [, key = '', value = ''] = /^\s*([^=\s]+)\s*(?:=(.*))?$/.exec(part) ?? [];
      if (key === '' || key === '__proto__' || (key === 'apt') !== rtx) continue;
      if (parameters.size === MAX_PARAMETERS) continue;
      parameters.set(key, toParameter(key, value.trim()));
    }
  }
  return Object.fromEntries(parameters);
}

/** `profile-level-id` is six hexadecimal digits, of which some read as a number; mediasoup wants a string. */
function toParameter(key: string, value: string): string | number {
  return key !== 'profile-level-id' && /^(0|[1-9]\d{0,8})$/.test(value) ? Number(value) : value;
}

function readFeedback(media: ParsedMedia, payloadType: number): { type: string; parameter: string }[] {
  const feedback = new Map<string, { type: string; parameter: string }>();
  for (const { payload, type, subtype } of media.rtcpFb ?? []) {
    if ((payload !== payloadType && payload !== '*') || feedback.size === MAX_FEEDBACK) continue;
    const entry = { type: String(type ?? ''), parameter: String(subtype ?? '') };
    if (entry.type !== '') feedback.set(`${entry.type} ${entry.parameter}`, entry);
  }
  return [...feedback.values()];
}
