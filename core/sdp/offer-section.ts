import type { ParsedMedia, ParsedSession } from 'sdp-transform';
import { MAX_EXTENSION_ID } from './extension.ts';
import { invalidSdp, quoted } from './invalid-sdp.ts';
import { readCodecs } from './offer-codec.ts';
import type { OfferExtension, OfferSection } from './types.ts';

/** Both browsers stop at three. */
const MAX_RIDS = 8;
const DIRECTIONS = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const;
/** RFC 8866 section 9. */
const TOKEN = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+$/;
/** RFC 9429 section 5.1.2, without the forms that lack DTLS. */
const RTP_OVER_DTLS = /^((UDP|TCP)\/(TLS|DTLS)\/)?RTP\/SAVPF?$/;

/**
 * @param bundle - mids of the BUNDLE group; empty without one, where a lone section needs none.
 * @throws MillraceError invalid_sdp
 */
export function readSection(
  media: ParsedMedia,
  index: number,
  session: ParsedSession,
  bundle: readonly string[],
): OfferSection {
  const type = String(media.type ?? '');
  const protocol = String(media.protocol ?? '');
  const formats = String(media.payloads ?? '');
  if (type === '' || protocol === '') {
    throw invalidSdp(
      `m= line ${index + 1} cannot be read; it must be "m=<media> <port> <protocol> <formats>"`,
    );
  }
  if (typeof media.port !== 'number' || media.port > 65535) {
    throw invalidSdp(`m= line ${index + 1} (${type}) has port ${quoted(media.port)}, which is not 0..65535`);
  }
  if (!/^[!-~]+( [!-~]+)*$/.test(formats)) {
    throw invalidSdp(`m= line ${index + 1} (${type}) lists no formats`);
  }
  const mid = String(media.mid ?? '');
  const where = describeSection(index, type, mid);
  const refused = media.port === 0 && !media.bundleOnly;
  if (mid === '' ? !refused : !TOKEN.test(mid)) {
    throw invalidSdp(`${where}: a=mid is ${mid === '' ? 'missing' : `not a token: ${quoted(mid)}`}`);
  }
  const rejected =
    refused ||
    (bundle.length > 0 && !bundle.includes(mid)) ||
    (isMedia(type) && !RTP_OVER_DTLS.test(protocol));
  const base = {
    index,
    mid,
    type,
    protocol,
    formats,
    rejected,
    direction: readDirection(media.direction ?? session.direction),
    allowsMixedExtensions: (media.extmapAllowMixed ?? session.extmapAllowMixed) !== undefined,
    reducedSizeRtcp: media.rtcpRsize !== undefined,
  };
  if (rejected || !isMedia(type)) return { ...base, codecs: [], extensions: [], rids: [] };
  if (media.rtcpMux === undefined) {
    throw invalidSdp(`${where}: a=rtcp-mux is missing; RTP and RTCP must share one transport (RFC 5761)`);
  }
  const ssrc = readSsrc(media);
  return {
    ...base,
    codecs: readCodecs(media, type, where),
    extensions: readExtensions(media, where),
    rids: readRids(media, where),
    ...(ssrc ? { ssrc } : {}),
  };
}

/** As messages name a section. */
export function describeSection(index: number, type: string, mid: string): string {
  const name = `section ${index + 1} (${type.slice(0, 20)}`;
  return mid === '' ? `${name})` : `${name}, mid ${mid.slice(0, 40)})`;
}

function isMedia(type: string): type is 'audio' | 'video' {
  return type === 'audio' || type === 'video';
}

function readDirection(direction: string | undefined): OfferSection['direction'] {
  return DIRECTIONS.find((known) => known === direction) ?? 'sendrecv';
}

/** Ids above 14 need the two-byte form and are left out; encrypted extensions (RFC 6904) are, too. */
function readExtensions(media: ParsedMedia, where: string): OfferExtension[] {
  const byId = new Map<number, OfferExtension>();
  const uris = new Set<string>();
  for (const { value: id, direction, uri, 'encrypt-uri': encrypted } of media.ext ?? []) {
    if (typeof id !== 'number' || id < 1 || id > MAX_EXTENSION_ID || encrypted !== undefined) continue;
    const extension = {
      id,
      uri: String(uri ?? ''),
      ...(direction === undefined ? {} : { direction: String(direction) }),
    };
    const earlier = byId.get(id);
    if (earlier && earlier.uri !== extension.uri) {
      throw invalidSdp(
        `${where}: header extension id ${id} is both ${quoted(earlier.uri)} and ${quoted(extension.uri)}`,
      );
    }
    if (earlier || uris.has(extension.uri)) continue;
    byId.set(id, extension);
    uris.add(extension.uri);
  }
  return [...byId.values()];
}

/**
 * RFC 8853 section 5.1: `send` may be first or second; `;` separates streams, `,` alternatives, `~` is
 * paused.
 */
function readRids(media: ParsedMedia, where: string): string[] {
  const { simulcast } = media;
  if (!simulcast) return [];
  const list = simulcast.dir1 === 'send' ? simulcast.list1 : simulcast.dir2 === 'send' ? simulcast.list2 : '';
  const declared = readSendRids(media);
  const rids = new Set<string>();
  for (const stream of String(list ?? '').split(';')) {
    const rid = (stream.split(',', 1)[0] ?? '').replace('~', '');
    // RFC 8853 section 5.3.2: what no a=rid line declares is ignored.
    if (!declared.has(rid)) continue;
    if (rids.has(rid)) throw invalidSdp(`${where}: a=simulcast lists rid ${quoted(rid)} twice`);
    rids.add(rid);
    if (rids.size > MAX_RIDS) throw invalidSdp(`${where}: more than ${MAX_RIDS} simulcast streams`);
  }
  return [...rids];
}

/**
 * sdp-transform reads no rid with `-` or `_` in it (RFC 8851 section 10 allows both) and leaves such lines as
 * they are.
 */
function readSendRids(media: ParsedMedia): Set<string> {
  const rids = new Set<string>();
  for (const { id, direction } of media.rids ?? []) if (direction === 'send') rids.add(String(id));
  for (const { value } of media.invalid ?? []) {
    const rid = /^rid:([\w-]{1,64}) send(?: |$)/.exec(String(value))?.[1];
    if (rid !== undefined) rids.add(rid);
  }
  return rids;
}

function readSsrc(media: ParsedMedia): OfferSection['ssrc'] {
  const first = media.ssrcs?.find(({ id }) => isSsrc(id));
  if (!first || !isSsrc(first.id)) return undefined;
  const ssrc = first.id;
  const pairs = (media.ssrcGroups ?? [])
    .filter(({ semantics }) => semantics === 'FID')
    .map(({ ssrcs }) => String(ssrcs).split(' ').map(Number));
  const rtx = pairs.find(([primary]) => primary === ssrc)?.[1];
  const cname = media.ssrcs?.find(({ id, attribute }) => id === ssrc && attribute === 'cname')?.value;
  return {
    media: ssrc,
    ...(isSsrc(rtx) && rtx !== ssrc ? { rtx } : {}),
    ...(isCname(cname) ? { cname: String(cname) } : {}),
  };
}

function isSsrc(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 32;
}

/**
 * It goes on to viewers in their answers, so only what fits there (RFC 3550 section 6.5.1: at most 255
 * bytes).
 */
function isCname(value: unknown): boolean {
  return value !== undefined && /^[!-~]{1,255}$/.test(String(value));
}
