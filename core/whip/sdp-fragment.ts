import { MillraceError } from '../protocol/index.ts';

/** What a client and a server of WHIP or WHEP send each other about ICE alone (RFC 8840 section 9). */
export const SDP_FRAGMENT_MEDIA_TYPE = 'application/trickle-ice-sdpfrag';

/** RFC 8839 section 5.4: 4 and 22 characters or more of `ice-char`, at most 256. */
export interface IceCredentials {
  readonly ufrag: string;
  readonly pwd: string;
}

const LINE = /^[a-z]=\S.*$/;
const UFRAG = /^[A-Za-z0-9+/]{4,256}$/;
const PWD = /^[A-Za-z0-9+/]{22,256}$/;

/**
 * The credentials that a fragment names, of its first section that has some; undefined when it brings only
 * candidates. Candidates are not read: a server that is ICE-lite takes addresses from the checks that arrive.
 *
 * @throws MillraceError `invalid_sdp`
 */
export function parseFragment(text: string): IceCredentials | undefined {
  const lines = linesOf(text);
  const wrong = lines.findIndex((line) => !LINE.test(line));
  if (lines.length === 0) throw invalid('is empty');
  if (wrong !== -1) throw invalid(`has no "type=value" in line ${wrong + 1}`);
  const ufrag = attributeOf(lines, 'ice-ufrag');
  const pwd = attributeOf(lines, 'ice-pwd');
  if (ufrag === undefined && pwd === undefined) return undefined;
  if (ufrag === undefined || pwd === undefined) throw invalid('has one of a=ice-ufrag and a=ice-pwd only');
  if (!UFRAG.test(ufrag)) throw invalid('has an a=ice-ufrag that is not 4 to 256 letters, digits, + or /');
  if (!PWD.test(pwd)) throw invalid('has an a=ice-pwd that is not 22 to 256 letters, digits, + or /');
  return { ufrag, pwd };
}

/**
 * What an answer says about ICE: the session's attributes, and those of the section that carries the
 * transport of its BUNDLE group, which is the first that was not rejected (RFC 8843 section 7.3).
 */
export function fragmentOf(answer: string): string {
  const [session = [], ...sections] = sectionsOf(answer);
  const carrier = sections.find((section) => !/^m=\S+ 0 /.test(section[0] ?? '')) ?? sections[0] ?? [];
  const wanted = [
    ...session.filter((line) => /^a=(ice-|group:)/.test(line)),
    ...carrier.filter((line) => /^(m=|a=(mid:|ice-|candidate:|end-of-candidates))/.test(line)),
  ];
  return wanted.map((line) => `${line}\r\n`).join('');
}

/** The first credentials of an offer; undefined when it has none. */
export function credentialsOf(offer: string): IceCredentials | undefined {
  const lines = linesOf(offer);
  const ufrag = attributeOf(lines, 'ice-ufrag');
  const pwd = attributeOf(lines, 'ice-pwd');
  return ufrag === undefined || pwd === undefined ? undefined : { ufrag, pwd };
}

/** The offer that a client would make for an ICE restart: other credentials, all else as it was. */
export function withCredentials(offer: string, { ufrag, pwd }: IceCredentials): string {
  return offer
    .replace(/^a=ice-ufrag:[^\r\n]*/gm, () => `a=ice-ufrag:${ufrag}`)
    .replace(/^a=ice-pwd:[^\r\n]*/gm, () => `a=ice-pwd:${pwd}`);
}

/** `sess-id` of the `o=` line: the same in every answer for one transport (RFC 8866 section 5.2). */
export function originId(sdp: string): string | undefined {
  return /^o=\S+ (\d+) /m.exec(sdp)?.[1];
}

function linesOf(text: string): string[] {
  return text.split(/\r\n|\r|\n/).filter((line) => line !== '');
}

function sectionsOf(sdp: string): string[][] {
  const sections: string[][] = [[]];
  for (const line of linesOf(sdp)) {
    if (line.startsWith('m=')) sections.push([]);
    sections.at(-1)?.push(line);
  }
  return sections;
}

function attributeOf(lines: readonly string[], attribute: string): string | undefined {
  const start = `a=${attribute}:`;
  return lines.find((line) => line.startsWith(start))?.slice(start.length);
}

function invalid(what: string): MillraceError {
  return new MillraceError('invalid_sdp', `the SDP fragment ${what}; see RFC 8840 section 9`);
}
