import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../protocol/error.ts';
import { parseOffer } from './index.ts';
import { readOffer } from './offers/model.ts';
import { replaced } from './offers/text.ts';

const OBS = readOffer('written-obs-publish');
const CHROMIUM = readOffer('chromium-publish-audio-video');

/** What is done to an offer, and what the refusal has to say. */
const REFUSALS: readonly (readonly [string, string, RegExp])[] = [
  ['nothing at all', '', /this is not SDP: it must begin with the line v=0 and a line end, not with ""/],
  [
    'something else than SDP',
    '{"sdp":"v=0"}',
    /must begin with the line v=0 and a line end, not with "\{\\"sdp\\":/,
  ],
  ['SDP of another version', replaced(OBS, 'v=0', 'v=1'), /must begin with the line v=0/],
  ['no section', 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n', /there is no m= line/],
  ['an unreadable m-line', replaced(OBS, 'm=audio 53847', 'm=audio port'), /m= line 1 cannot be read/],
  ['an m-line without formats', replaced(OBS, 'SAVPF 111', 'SAVPF'), /m= line 1 \(audio\) lists no formats/],
  [
    'a port beyond 65535',
    replaced(OBS, 'm=audio 53847', 'm=audio 65536'),
    /port "65536", which is not 0..65535/,
  ],
  [
    'only rejected sections',
    replaced(OBS, /^m=(\w+) \d+/, 'm=$1 0'),
    /no audio or video section can be used/,
  ],
  [
    'only a data channel',
    replaced(OBS, /^m=.*/, 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel'),
    /no audio or video section/,
  ],
  [
    'RTP without DTLS',
    replaced(OBS, 'UDP/TLS/RTP/SAVPF', 'RTP/AVP'),
    /no audio or video section can be used/,
  ],
  ['no ICE ufrag', replaced(OBS, /^a=ice-ufrag:.*\r\n/, ''), /ICE credentials are missing/],
  ['no ICE password', replaced(OBS, /^a=ice-pwd:.*\r\n/, ''), /ICE credentials are missing/],
  [
    'an ICE-lite offerer',
    replaced(OBS, 'a=setup:actpass', 'a=setup:actpass\r\na=ice-lite'),
    /the offerer is ICE-lite/,
  ],
  ['no fingerprint', replaced(OBS, /^a=fingerprint:.*\r\n/, ''), /a=fingerprint is missing/],
  [
    'a fingerprint of an unknown kind',
    replaced(OBS, 'sha-256', 'md5'),
    /no usable a=fingerprint among "md5"/,
  ],
  [
    'a truncated fingerprint',
    replaced(OBS, /(sha-256 (..:){16}).*/, '$100'),
    /no usable a=fingerprint among "sha-256"/,
  ],
  [
    'a passive offerer',
    replaced(OBS, 'a=setup:actpass', 'a=setup:passive'),
    /a=setup is "passive"; offer actpass, or active/,
  ],
  ['a held connection', replaced(CHROMIUM, 'a=setup:actpass', 'a=setup:holdconn'), /a=setup is "holdconn"/],
  ['no rtcp-mux', replaced(OBS, /^a=rtcp-mux\r\n/, ''), /section 1 \(audio, mid 0\): a=rtcp-mux is missing/],
  ['no mid', replaced(OBS, 'a=mid:1\r\n', ''), /section 2 \(video\): a=mid is missing/],
  ['a mid that is no token', replaced(OBS, 'a=mid:1', 'a=mid:"1"'), /a=mid is not a token/],
  [
    'a mid used twice',
    replaced(OBS, 'a=mid:1', 'a=mid:0'),
    /section 2 \(video, mid 0\): this mid is used twice/,
  ],
  ['no BUNDLE group', replaced(OBS, /^a=group:BUNDLE.*\r\n/, ''), /2 sections without a=group:BUNDLE/],
  [
    'a payload type listed twice',
    replaced(OBS, 'SAVPF 96', 'SAVPF 96 96'),
    /payload type 96 is listed twice/,
  ],
  [
    'a payload type beyond 127',
    replaced(OBS, 'SAVPF 96', 'SAVPF 128'),
    /payload type "128" is not a number from 0 to 127/,
  ],
  [
    'a payload type that is no number',
    replaced(OBS, 'SAVPF 96', 'SAVPF x'),
    /payload type "x" is not a number/,
  ],
  [
    'a payload type with two meanings in a section',
    replaced(OBS, 'a=rtpmap:96 H264/90000', 'a=rtpmap:96 H264/90000\r\na=rtpmap:96 VP8/90000'),
    /payload type 96 is both h264\/90000\/1 and vp8\/90000\/1/,
  ],
  [
    'a payload type with two meanings in a transport',
    replaced(replaced(OBS, 'SAVPF 111', 'SAVPF 96'), 'a=rtpmap:111', 'a=rtpmap:96'),
    /payload type 96 is h264\/90000\/1 here and opus\/48000\/2 before/,
  ],
  ['an rtpmap without a rate', replaced(OBS, 'H264/90000', 'H264'), /a=rtpmap:96 is not name\/rate/],
  [
    'an extension id with two meanings in a section',
    replaced(CHROMIUM, /^(a=extmap:14 .*)/, '$1\r\na=extmap:14 urn:other'),
    /header extension id 14 is both "urn:ietf:params:rtp-hdrext:toffset" and "urn:other"/,
  ],
  ['a control character', replaced(OBS, 's=-', 's=\u0000'), /line 3 has a control character/],
  ['too many sections', OBS + 'm=audio 0 UDP/TLS/RTP/SAVPF 0\r\n'.repeat(63), /65 sections, at most 64/],
  ['too many lines', OBS + 'a=x\r\n'.repeat(20_000), /20038 lines, at most 8192/],
  ['too many characters', OBS + 'x'.repeat(300_000), /at most 262144/],
  [
    'too many simulcast streams',
    replaced(
      readOffer('firefox-publish-simulcast'),
      /^a=simulcast:.*/,
      `${Array.from({ length: 9 }, (_, index) => `a=rid:r${index} send`).join('\r\n')}\r\na=simulcast:send ${Array.from({ length: 9 }, (_, index) => `r${index}`).join(';')}`,
    ),
    /more than 8 simulcast streams/,
  ],
  [
    'a rid used twice',
    replaced(readOffer('firefox-publish-simulcast'), 'send q;h;f', 'send q;h;q'),
    /a=simulcast lists rid "q" twice/,
  ],
];

for (const [what, text, message] of REFUSALS) {
  test(`an offer with ${what} is refused and told why`, () => {
    assert.throws(
      () => parseOffer(text),
      (error) => {
        assert.ok(error instanceof MillraceError);
        assert.equal(error.errorName, 'invalid_sdp');
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test('ICE credentials, fingerprint and setup are found at session level (OBS) and at media level (Chromium)', () => {
  assert.deepEqual(parseOffer(OBS).ice, { ufrag: 'Gm5Q', pwd: '0qk1WUwoR8kQ5uKfLdYyQc' });
  assert.equal(parseOffer(OBS).fingerprints.length, 1);
  const ufrag = /^a=ice-ufrag:(.*)\r/m.exec(CHROMIUM)?.[1];
  assert.equal(parseOffer(CHROMIUM).ice.ufrag, ufrag);
  assert.equal(parseOffer(CHROMIUM).fingerprints[0]?.algorithm, 'sha-256');
});

test('the credentials are those of the BUNDLE tag, not of a rejected section before it', () => {
  const text = replaced(
    readOffer('chromium-publish-stopped-first'),
    /^(m=audio 0 [\s\S]*?)a=ice-ufrag:.*/,
    '$1a=ice-ufrag:stale',
  );
  assert.notEqual(parseOffer(text).ice.ufrag, 'stale');
});

test('of several fingerprints the strongest comes first, as mediasoup looks at one only', () => {
  const { fingerprints } = parseOffer(readOffer('written-aiortc-publish'));
  assert.deepEqual(
    fingerprints.map(({ algorithm }) => algorithm),
    ['sha-512', 'sha-384', 'sha-256'],
  );
});

test('a fingerprint in lower case is given in upper case, as the worker compares text', () => {
  const text = OBS.replace(/sha-256 (\S+)/, (_, digest: string) => `SHA-256 ${digest.toLowerCase()}`);
  assert.deepEqual(parseOffer(text).fingerprints, parseOffer(OBS).fingerprints);
});

test('an offerer that is DTLS client, or leaves setup out, is taken', () => {
  assert.ok(parseOffer(replaced(OBS, 'a=setup:actpass', 'a=setup:active')));
  assert.ok(parseOffer(replaced(OBS, 'a=setup:actpass\r\n', '')));
});

test('a lone section needs no BUNDLE group', () => {
  const [head = '', audio = ''] = OBS.split(/(?=^m=)/m);
  const offer = parseOffer(replaced(head, /^a=group:BUNDLE.*\r\n/, '') + audio);
  assert.deepEqual(offer.bundle, []);
  assert.equal(offer.sections[0]?.rejected, false);
});

test('a section outside the BUNDLE group is rejected', () => {
  const { sections } = parseOffer(replaced(OBS, 'BUNDLE 0 1', 'BUNDLE 0'));
  assert.deepEqual(
    sections.map(({ rejected }) => rejected),
    [false, true],
  );
});

test('lines may end in LF alone', () => {
  assert.deepEqual(parseOffer(OBS.replaceAll('\r\n', '\n')), parseOffer(OBS));
});

test('the first alternative of each simulcast stream is taken, paused or not, in either order of directions', () => {
  const text = replaced(
    readOffer('firefox-publish-simulcast'),
    /^a=simulcast:.*/,
    'a=rid:x-1 send pt=120\r\na=simulcast:recv other send ~q,h;x-1;~f',
  );
  assert.deepEqual(parseOffer(text).sections[1]?.rids, ['q', 'x-1', 'f']);
});

test('header extension ids above 14 and encrypted extensions are left out', () => {
  const text = replaced(
    OBS,
    'a=mid:1\r\n',
    'a=mid:1\r\na=extmap:15 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:3 urn:ietf:params:rtp-hdrext:encrypt urn:ietf:params:rtp-hdrext:toffset\r\na=extmap:4096 urn:x\r\n',
  );
  assert.deepEqual(parseOffer(text).sections[1]?.extensions, []);
});

/** Texts made to take long: each at the limit of what is read at all. */
const SLOW: Readonly<Record<string, string>> = {
  'attributes that are unknown': 'a=unknown-attribute\r\n'.repeat(8_000),
  'feedback for all': 'a=rtcp-fb:* nack\r\n'.repeat(8_000),
  'codecs that repeat': 'a=rtpmap:96 H264/90000\r\n'.repeat(8_000),
  'format parameters without end': `a=fmtp:96 ${'a=1;'.repeat(60_000)}\r\n`,
  'one long image attribute': `a=imageattr:96 send ${'[x=1] '.repeat(40_000)}\r\n`,
  'one long simulcast list': `a=simulcast:send ${'a;'.repeat(120_000)}\r\n`,
  'one long rid': `a=rid:${'a'.repeat(250_000)} send\r\n`,
  'groups of SSRCs': 'a=ssrc:1 cname:x\r\na=ssrc-group:FID 2 3\r\n'.repeat(4_000),
  'digits without end': `a=ssrc:${'1'.repeat(250_000)} cname:x\r\n`,
};

for (const [what, lines] of Object.entries(SLOW)) {
  test(`an offer with ${what} is read in bounded time`, () => {
    const before = process.threadCpuUsage();
    try {
      parseOffer(OBS + lines);
    } catch (error) {
      assert.ok(error instanceof MillraceError, String(error));
    }
    const { user, system } = process.threadCpuUsage(before);
    const tookMs = (user + system) / 1000;
    assert.ok(tookMs < 1000, `${tookMs} ms`);
  });
}
