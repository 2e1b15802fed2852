import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../protocol/index.ts';
import { credentialsOf, fragmentOf, originId, parseFragment, withCredentials } from './sdp-fragment.ts';

const UFRAG = 'ysXw';
const PWD = 'vw5LmwG4y/e6dPP/zAP9Gp5k';
const SECTION = `m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=ice-ufrag:${UFRAG}\r\na=ice-pwd:${PWD}\r\n`;

const ANSWER = [
  'v=0',
  'o=- 8125 1 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=ice-lite',
  'a=ice-options:ice2',
  'a=fingerprint:sha-256 00',
  'a=group:BUNDLE 1',
  'm=audio 0 UDP/TLS/RTP/SAVPF 111',
  'a=mid:0',
  'm=video 7 UDP/TLS/RTP/SAVPF 96',
  'c=IN IP4 127.0.0.1',
  'a=mid:1',
  'a=ice-ufrag:abcdefgh',
  `a=ice-pwd:${PWD}`,
  'a=candidate:udp 1 udp 1 192.0.2.1 40000 typ host',
  'a=end-of-candidates',
  'a=rtpmap:96 VP8/90000',
  '',
].join('\r\n');

test('credentials are read from a section, from the head, and with bare line feeds', () => {
  const expected = { ufrag: UFRAG, pwd: PWD };
  assert.deepEqual(
    parseFragment(`a=group:BUNDLE 0 1\r\n${SECTION}a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n`),
    expected,
  );
  assert.deepEqual(parseFragment(`a=ice-ufrag:${UFRAG}\na=ice-pwd:${PWD}\n`), expected);
});

test('a fragment of candidates alone has no credentials', () => {
  assert.equal(
    parseFragment('m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\na=end-of-candidates\r\n'),
    undefined,
  );
});

for (const [what, text, why] of [
  ['nothing', '\r\n', /is empty/],
  ['no SDP', `${SECTION}hello`, /no "type=value" in line 5/],
  ['a user fragment alone', `a=ice-ufrag:${UFRAG}`, /one of .* only/],
  ['a password alone', `a=ice-pwd:${PWD}`, /one of .* only/],
  ['a short user fragment', `a=ice-ufrag:abc\r\na=ice-pwd:${PWD}`, /ice-ufrag that is not 4 to 256/],
  ['a short password', `a=ice-ufrag:${UFRAG}\r\na=ice-pwd:abc`, /ice-pwd that is not 22 to 256/],
  ['a space in the password', `a=ice-ufrag:${UFRAG}\r\na=ice-pwd:${PWD} x`, /ice-pwd/],
  ['a dollar in the user fragment', `a=ice-ufrag:$&$&\r\na=ice-pwd:${PWD}`, /ice-ufrag/],
] as const) {
  test(`a fragment with ${what} is refused`, () => {
    assert.throws(
      () => parseFragment(text),
      (error) =>
        error instanceof MillraceError && error.errorName === 'invalid_sdp' && why.test(error.message),
    );
  });
}

test("an offer's credentials are replaced wherever they stand, and nothing else", () => {
  const offer = `v=0\r\na=ice-ufrag:head\r\n${SECTION}a=mid:1\r\na=ice-ufrag:${UFRAG}\r\na=ice-pwd:${PWD}\r\n`;
  const fresh = { ufrag: 'newU', pwd: 'q'.repeat(22) };
  const changed = withCredentials(offer, fresh);
  assert.deepEqual(credentialsOf(changed), fresh);
  assert.equal(changed.match(/ice-ufrag:newU\r\n/g)?.length, 3);
  assert.equal(changed.match(new RegExp(`ice-pwd:${fresh.pwd}\r\n`, 'g'))?.length, 2);
  assert.equal(changed.split('\r\n').length, offer.split('\r\n').length);
  assert.equal(credentialsOf('v=0\r\n'), undefined);
});

test("an answer's fragment is its head's ICE and that of the section that carries the transport", () => {
  assert.equal(
    fragmentOf(ANSWER),
    [
      'a=ice-lite',
      'a=ice-options:ice2',
      'a=group:BUNDLE 1',
      'm=video 7 UDP/TLS/RTP/SAVPF 96',
      'a=mid:1',
      'a=ice-ufrag:abcdefgh',
      `a=ice-pwd:${PWD}`,
      'a=candidate:udp 1 udp 1 192.0.2.1 40000 typ host',
      'a=end-of-candidates',
      '',
    ].join('\r\n'),
  );
});

test('the origin tells answers of one transport from those of another', () => {
  assert.equal(originId(ANSWER), '8125');
  assert.equal(originId('v=0'), undefined);
});
