/**
 * What every answer must keep towards its offer (RFC 9429 section 5.3.1, RFC 9143 section 7.3, RFC 8853).
 * Reads both texts by itself, so that a mistake in the parser cannot hide one in the answer.
 */
interface Section {
  readonly type: string;
  readonly port: number;
  readonly protocol: string;
  readonly formats: readonly string[];
  readonly lines: readonly string[];
}

interface Description {
  readonly session: readonly string[];
  readonly sections: readonly Section[];
}

/** Broken rules, each in words; none for a good answer. */
export function brokenRules(offerText: string, answerText: string): string[] {
  const broken: string[] = [];
  const rule = (kept: boolean, what: string) => {
    if (!kept) broken.push(what);
  };
  // Like the parser, past what it can read of a line it does not look.
  const offer = read(offerText.split(/\r\n|\r|\n/).map((line) => line.trimEnd()));
  const answerLines = answerText.split('\r\n');
  rule(answerLines.at(-1) === '', 'the answer ends in CRLF');
  rule(
    answerLines.slice(0, -1).every((line) => /^[a-z]=[^\r\n\0]+$/.test(line)),
    'every line of the answer is a type and a value',
  );
  const answer = read(answerLines.slice(0, -1));
  rule(answer.session.slice(0, 2).join('').startsWith('v=0o=- '), 'the answer begins with v= and o=');
  rule(answer.session.includes('a=ice-lite'), 'the answer is ICE-lite');
  rule(answer.sections.length === offer.sections.length, 'as many sections as the offer');

  const offered = bundleOf(offer);
  const bundled = bundleOf(answer);
  const accepted = answer.sections
    .filter(({ port }) => port !== 0)
    .map((section) => value(section, 'mid') ?? '');
  rule(
    bundled.every((mid) => offered.includes(mid)),
    'BUNDLE holds offered mids only',
  );
  rule(new Set(bundled).size === bundled.length, 'BUNDLE names each mid once');
  rule(accepted.length > 0, 'at least one section is accepted');
  rule(
    offered.length > 0
      ? [...bundled].sort().join(' ') === [...accepted].sort().join(' ')
      : bundled.length === 0 && accepted.length === 1,
    'BUNDLE is exactly what is accepted',
  );
  answer.sections.forEach((section, index) => {
    const counterpart = offer.sections[index];
    if (!counterpart) return;
    for (const what of brokenSectionRules(counterpart, section, offer.session)) {
      broken.push(`section ${index + 1}: ${what}`);
    }
  });
  const ssrcs = answer.sections.flatMap((section) => [
    ...new Set(values(section, 'ssrc').map((ssrc) => ssrc.split(' ')[0])),
  ]);
  rule(new Set(ssrcs).size === ssrcs.length, 'each SSRC is in one section only');
  return broken;
}

function brokenSectionRules(offer: Section, answer: Section, session: readonly string[]): string[] {
  const broken: string[] = [];
  const rule = (kept: boolean, what: string) => {
    if (!kept) broken.push(what);
  };
  rule(answer.type === offer.type && answer.protocol === offer.protocol, 'same media and protocol');
  rule(value(answer, 'mid') === value(offer, 'mid'), 'same mid');
  const directions = answer.lines.filter((line) => /^a=(sendrecv|sendonly|recvonly|inactive)$/.test(line));
  rule(directions.length === 1, 'one direction');
  if (answer.port === 0) {
    rule(directions[0] === 'a=inactive', 'a rejected section is inactive');
    rule(answer.formats.join(' ') === offer.formats.join(' '), 'a rejected section keeps its formats');
    rule(!answer.lines.some((line) => line.startsWith('a=ice-ufrag')), 'a rejected section has no transport');
    return broken;
  }
  rule(
    offer.port !== 0 || offer.lines.some((line) => line.startsWith('a=bundle-only')),
    'what the offer rejects stays rejected',
  );
  const wanted = lastDirection(offer.lines) ?? lastDirection(session) ?? 'sendrecv';
  rule(
    { sendrecv: ['a=sendonly', 'a=recvonly'], sendonly: ['a=recvonly'], recvonly: ['a=sendonly'] }[
      wanted
    ]?.includes(directions[0] ?? '') ?? false,
    `${directions[0]} answers ${wanted}`,
  );
  rule(
    answer.lines.some((line) => /^c=IN IP[46] \S+$/.test(line)),
    'connection',
  );
  for (const attribute of ['ice-ufrag', 'ice-pwd', 'fingerprint', 'candidate']) {
    rule(values(answer, attribute).length > 0, attribute);
  }
  for (const flag of ['a=setup:passive', 'a=rtcp-mux', 'a=end-of-candidates']) {
    rule(answer.lines.includes(flag), flag);
  }
  for (const flag of ['a=rtcp-rsize', 'a=extmap-allow-mixed']) {
    rule(
      !answer.lines.includes(flag) || [...offer.lines, ...session].some((line) => line.startsWith(flag)),
      `${flag} was offered`,
    );
  }
  broken.push(...brokenMediaRules(offer, answer));
  return broken;
}

function brokenMediaRules(offer: Section, answer: Section): string[] {
  const broken: string[] = [];
  const rule = (kept: boolean, what: string) => {
    if (!kept) broken.push(what);
  };
  rule(new Set(answer.formats).size === answer.formats.length, 'payload types are unique');
  for (const format of answer.formats) {
    rule(offer.formats.includes(format), `payload type ${format} was offered`);
    const [map] = values(answer, 'rtpmap').filter((entry) => entry.startsWith(`${format} `));
    rule(map !== undefined, `payload type ${format} has an rtpmap`);
    rule(
      // What follows a readable part is not read.
      values(offer, 'rtpmap').some((entry) => normalMap(entry).startsWith(normalMap(map ?? '?'))),
      `rtpmap ${map} was offered`,
    );
  }
  for (const [attribute, name] of [
    ['rtpmap', 'rtpmap'],
    ['fmtp', 'fmtp'],
    ['rtcp-fb', 'feedback'],
  ] as const) {
    for (const entry of values(answer, attribute)) {
      rule(
        answer.formats.includes(entry.split(' ')[0] ?? ''),
        `${name} ${entry} is of an answered payload type`,
      );
    }
  }
  for (const fmtp of values(answer, 'fmtp')) {
    const apt = /^\d+ (?:.*;)?apt=(\d+)(?:;|$)/.exec(fmtp)?.[1];
    rule(apt === undefined || answer.formats.includes(apt), `apt in ${fmtp} is answered`);
  }
  const feedback = values(offer, 'rtcp-fb').map((entry) => entry.trim());
  for (const entry of values(answer, 'rtcp-fb')) {
    const wildcard = entry.replace(/^\d+/, '*');
    rule(
      feedback.some((known) => known.startsWith(entry) || known.startsWith(wildcard)),
      `feedback ${entry} was offered`,
    );
  }
  const ids = values(answer, 'extmap').map((entry) => entry.split(/[ /]/)[0] ?? '');
  rule(new Set(ids).size === ids.length, 'extension ids are unique');
  const extensions = values(offer, 'extmap').map(withoutDirection);
  for (const entry of values(answer, 'extmap')) {
    rule(extensions.includes(withoutDirection(entry)), `extension ${entry} was offered`);
    rule(Number(entry.split(/[ /]/)[0]) <= 14, `extension ${entry} has a one-byte id`);
  }
  broken.push(...brokenSimulcastRules(offer, answer));
  if (answer.lines.includes('a=sendonly')) {
    const ssrcs = new Set(values(answer, 'ssrc').map((entry) => entry.split(' ')[0] ?? ''));
    rule(values(answer, 'msid').length === 1, 'a sent track has one msid');
    rule(ssrcs.size > 0, 'a sent track has an SSRC');
    for (const group of values(answer, 'ssrc-group')) {
      rule(
        /^FID \d+ \d+$/.test(group) &&
          group
            .split(' ')
            .slice(1)
            .every((ssrc) => ssrcs.has(ssrc)),
        `${group} pairs SSRCs of the section`,
      );
    }
  }
  rule(
    answer.type === 'video' || !answer.lines.some((line) => line.startsWith('b=')),
    'only video is limited',
  );
  return broken;
}

function brokenSimulcastRules(offer: Section, answer: Section): string[] {
  const rids = values(answer, 'rid').map((entry) => entry.split(' '));
  const [simulcast] = values(answer, 'simulcast');
  if (rids.length === 0 && simulcast === undefined) return [];
  const broken: string[] = [];
  const list = simulcast?.replace(/^recv /, '').split(';') ?? [];
  if (rids.map(([id]) => id).join(';') !== list.join(';')) broken.push('a=simulcast lists the rids');
  if (rids.some(([, direction]) => direction !== 'recv')) broken.push('rids are received');
  const sent = values(offer, 'rid')
    .map((entry) => entry.split(' '))
    .filter(([, direction]) => direction === 'send')
    .map(([id]) => id);
  if (!list.every((rid) => sent.includes(rid))) broken.push('rids were offered');
  // Chromium 143 and later refuses the one without the other.
  if (!values(answer, 'extmap').some((entry) => entry.endsWith(':sdes:rtp-stream-id'))) {
    broken.push('simulcast keeps the rid extension');
  }
  return broken;
}

function read(lines: readonly string[]): Description {
  const session: string[] = [];
  const sections: (Section & { lines: string[] })[] = [];
  for (const line of lines) {
    if (line.startsWith('m=')) {
      const [type = '', port = '', protocol = '', ...formats] = line.slice(2).split(' ');
      sections.push({ type, port: Number(port), protocol, formats, lines: [] });
    } else {
      (sections.at(-1)?.lines ?? session).push(line);
    }
  }
  return { session, sections };
}

function values(section: Section, attribute: string): string[] {
  const prefix = `a=${attribute}:`;
  return section.lines.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
}

/** The last counts where a text has several. */
function value(section: Section, attribute: string): string | undefined {
  return values(section, attribute).at(-1)?.split(/\s/)[0];
}

function bundleOf(description: Description): string[] {
  const group = description.session.find((line) => line.startsWith('a=group:BUNDLE '));
  const mids = description.sections.map((section) => value(section, 'mid'));
  return [...new Set(group?.slice('a=group:BUNDLE '.length).split(' '))].filter((mid) => mids.includes(mid));
}

function lastDirection(lines: readonly string[]): string | undefined {
  const found = lines.map((line) => /^a=(sendrecv|sendonly|recvonly|inactive)/.exec(line)?.[1]);
  return found.filter((direction) => direction !== undefined).at(-1);
}

function normalMap(map: string): string {
  return map.trim().replace(/\s*\/\s*/g, '/');
}

function withoutDirection(extmap: string): string {
  return extmap
    .replace(/^(\d+)\/\w+/, '$1')
    .split(' ')
    .slice(0, 2)
    .join(' ');
}
