import { type ParsedMedia, type ParsedSession, parse } from 'sdp-transform';
import { readFingerprints } from './fingerprint.ts';
import { invalidSdp, quoted } from './invalid-sdp.ts';
import { describeRtpmap } from './offer-codec.ts';
import { describeSection, readSection } from './offer-section.ts';
import type { Offer, OfferSection } from './types.ts';

/** Bounds of the work that one offer can cause. Chromium writes about 120 lines a section. */
const MAX_CHARACTERS = 256 * 1024;
const MAX_LINES = 8192;
const MAX_SECTIONS = 64;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for; tab is let through.
const CONTROL = /[\0-\x08\x0b-\x1f\x7f\u2028\u2029]/;

/**
 * Reads and checks an offer (RFC 9429 section 5.2). ICE credentials, fingerprint and setup may stand at
 * session or media level. Remote candidates are ignored: the server is ICE-lite and answers where checks come
 * from.
 *
 * @throws MillraceError invalid_sdp, and nothing else, whatever the text is.
 */
export function parseOffer(text: string): Offer {
  const lines = splitLines(text);
  const session = parse(text);
  if (session.media.length === 0) throw invalidSdp('there is no m= line; offer audio or video');
  if (session.media.length > MAX_SECTIONS) {
    throw invalidSdp(`${session.media.length} sections, at most ${MAX_SECTIONS} are taken`);
  }
  if (session.icelite !== undefined) {
    throw invalidSdp('the offerer is ICE-lite, and so is this server; one end must be a full ICE agent');
  }
  const bundle = readBundle(session);
  const sections = session.media.map((media, index) => readSection(media, index, session, bundle));
  checkMids(sections);
  const usable = sections.filter((section) => !section.rejected && section.codecs.length > 0);
  if (usable.length === 0) {
    throw invalidSdp('no audio or video section can be used: they are missing, have port 0 or no codecs');
  }
  if (bundle.length === 0 && usable.length > 1) {
    throw invalidSdp(
      `${usable.length} sections without a=group:BUNDLE; set the bundle policy to max-bundle, one transport carries all`,
    );
  }
  checkSharedNumbers(usable);
  return {
    ...readTransport(session, lines, sections, bundle),
    bundle,
    sections,
  };
}

function splitLines(text: string): string[] {
  if (text.length > MAX_CHARACTERS) {
    throw invalidSdp(`${text.length} characters, at most ${MAX_CHARACTERS} are taken`);
  }
  if (!/^v=0[\r\n]/.test(text)) {
    throw invalidSdp(
      `this is not SDP: it must begin with the line v=0 and a line end, not with ${quoted(text.slice(0, 20))}`,
    );
  }
  const lines = text.split(/\r\n|\r|\n/);
  if (lines.length > MAX_LINES) throw invalidSdp(`${lines.length} lines, at most ${MAX_LINES} are taken`);
  // Some parts go into answers as they are.
  const control = lines.findIndex((line) => CONTROL.test(line));
  if (control >= 0) throw invalidSdp(`line ${control + 1} has a control character or line separator in it`);
  return lines;
}

/** Mids of the first BUNDLE group (RFC 9143); there is one transport, so there can be only one group. */
function readBundle(session: ParsedSession): string[] {
  const group = session.groups?.find(({ type }) => type === 'BUNDLE');
  const known = new Set(session.media.map(({ mid }) => String(mid ?? '')));
  const mids = String(group?.mids ?? '').split(' ');
  return [...new Set(mids)].filter((mid) => mid !== '' && known.has(mid));
}

function checkMids(sections: readonly OfferSection[]): void {
  const seen = new Set<string>();
  for (const { mid, index, type } of sections) {
    if (mid === '') continue;
    if (seen.has(mid)) throw invalidSdp(`${describeSection(index, type, mid)}: this mid is used twice`);
    seen.add(mid);
  }
}

/**
 * Sections of one transport share payload types (RFC 9143 section 9.1) and extension ids (section 9.2 there).
 */
function checkSharedNumbers(sections: readonly OfferSection[]): void {
  const maps = new Map<number, string>();
  const uris = new Map<number, string>();
  for (const section of sections) {
    const where = describeSection(section.index, section.type, section.mid);
    for (const codec of section.codecs) {
      const map = describeRtpmap(codec);
      const earlier = maps.get(codec.payloadType) ?? map;
      if (earlier !== map) {
        throw invalidSdp(`${where}: payload type ${codec.payloadType} is ${map} here and ${earlier} before`);
      }
      maps.set(codec.payloadType, map);
    }
    for (const { id, uri } of section.extensions) {
      const earlier = uris.get(id) ?? uri;
      if (earlier !== uri) {
        throw invalidSdp(
          `${where}: header extension id ${id} is ${quoted(uri)} here and ${quoted(earlier)} before`,
        );
      }
      uris.set(id, uri);
    }
  }
}

/**
 * The transport's attributes are those of the first usable section of the BUNDLE group that has them (RFC
 * 9143 section 7.3.1: a tag that is not usable passes to the next), else the session's.
 */
function readTransport(
  session: ParsedSession,
  lines: readonly string[],
  sections: readonly OfferSection[],
  bundle: readonly string[],
): Pick<Offer, 'ice' | 'fingerprints'> {
  const order = sections
    .filter((section) => !section.rejected)
    .sort((one, other) => bundle.indexOf(one.mid) - bundle.indexOf(other.mid))
    .map((section) => section.index);
  const media = order.map((index) => session.media[index]).filter((entry) => entry !== undefined);
  checkSetup(session, media);

  const level = [...media, session].find(
    ({ iceUfrag, icePwd }) => isCredential(iceUfrag) && isCredential(icePwd),
  );
  if (!level) throw invalidSdp('ICE credentials are missing: a=ice-ufrag and a=ice-pwd (RFC 8839)');

  const [ofSession, ...ofSections] = readFingerprints(lines);
  const levels = [...order.map((index) => ofSections[index]), ofSession].filter(
    (entry) => entry !== undefined,
  );
  const fingerprints = levels.find(({ supported }) => supported.length > 0)?.supported;
  if (!fingerprints) {
    const unsupported = levels.flatMap((entry) => entry.unsupported);
    throw invalidSdp(
      unsupported.length === 0
        ? 'a=fingerprint is missing; media needs DTLS'
        : `no usable a=fingerprint among ${quoted([...new Set(unsupported)].join(', '))}; use sha-256 with all its bytes`,
    );
  }
  return { ice: { ufrag: String(level.iceUfrag), pwd: String(level.icePwd) }, fingerprints };
}

/**
 * The server waits for the offerer's ClientHello: it answers `passive` (RFC 5763 section 5, RFC 4145 section
 * 4).
 */
function checkSetup(session: ParsedSession, media: readonly ParsedMedia[]): void {
  for (const { setup = session.setup } of media) {
    if (setup === undefined || setup === 'actpass' || setup === 'active') continue;
    throw invalidSdp(
      `a=setup is ${quoted(setup)}; offer actpass, or active, since this server answers passive`,
    );
  }
}

function isCredential(value: unknown): boolean {
  return value !== undefined && /^[!-~]{1,256}$/.test(String(value));
}
