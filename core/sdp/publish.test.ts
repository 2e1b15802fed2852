import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../protocol/error.ts';
import { DEPENDENCY_DESCRIPTOR_URI, MID_URI } from './extension.ts';
import { answerPublish, parseOffer, planPublish } from './index.ts';
import { ALL_CODECS, OPTIONS, publish, ROUTER, readOffer, TRANSPORT } from './offers/model.ts';
import { bundleLineOf, linesOf, mLineOf, replaced, sectionOf } from './offers/text.ts';

const CHROMIUM = readOffer('chromium-publish-audio-video');

test("the server's order decides among what is offered", () => {
  for (const codec of ['VP8', 'VP9', 'H264', 'AV1'] as const) {
    const [, video] = publish(CHROMIUM, ['opus', codec, ...ALL_CODECS]).plan.tracks;
    assert.equal(video?.codec, codec);
  }
});

test('one codec is produced with its RTX, never more', () => {
  const [audio, video] = publish(CHROMIUM).plan.tracks;
  assert.deepEqual(
    [audio, video].map((track) => track?.rtpParameters.codecs.map(({ mimeType }) => mimeType)),
    [['audio/opus'], ['video/VP8', 'video/rtx']],
  );
  assert.deepEqual(video?.rtpParameters.codecs[1]?.parameters, { apt: 96 });
});

test('an offer with no codec that the server accepts is told what both have', () => {
  assert.throws(
    () => publish(readOffer('chromium-publish-vp8'), ['VP9', 'AV1']),
    (error) => {
      assert.ok(error instanceof MillraceError);
      assert.equal(error.errorName, 'no_common_codec');
      assert.match(error.message, /offered are opus, red, .*VP8; this server accepts VP9, AV1/);
      return true;
    },
  );
});

test('a section without a common codec is rejected while another is taken', () => {
  const { plan, answer } = publish(readOffer('chromium-publish-pcmu-only'));
  assert.equal(plan.tracks.length, 1);
  assert.match(mLineOf(answer, '0'), /^m=audio 0 /);
  assert.equal(bundleLineOf(answer), 'a=group:BUNDLE 1');
});

test('an offer that sends nothing is refused', () => {
  assert.throws(() => publish(readOffer('chromium-play-audio-video')), /invalid SDP: nothing is sent/);
});

for (const order of [ALL_CODECS, ['AV1', 'VP9', 'H264', 'VP8'], ['VP9', 'VP8']] as const) {
  test(`simulcast is VP8 or H264 when the server prefers ${order.join(', ')}`, () => {
    const [track] = publish(readOffer('chromium-publish-simulcast-vp9-first'), order).plan.tracks;
    assert.ok(track?.codec === 'VP8' || track?.codec === 'H264');
    assert.equal(track.rtpParameters.encodings?.length, 2);
  });
}

test('simulcast is refused by a server that accepts neither VP8 nor H264', () => {
  assert.throws(
    () => publish(readOffer('chromium-publish-simulcast'), ['opus', 'VP9', 'AV1']),
    /simulcast \(3 rids\) needs VP8 or H264; offered are VP8, .*this server accepts opus, VP9, AV1/,
  );
});

test('a single rid is one encoding', () => {
  const text = replaced(
    readOffer('chromium-publish-simulcast'),
    'a=simulcast:send q;h;f',
    'a=simulcast:send f',
  );
  const { plan, answer } = publish(text);
  assert.deepEqual(plan.tracks[1]?.rtpParameters.encodings, [{ rid: 'f' }]);
  assert.deepEqual(linesOf(answer, '1', 'a=simulcast'), ['a=simulcast:recv f']);
});

test('without simulcast the SSRC is taken with its FID', () => {
  const [, ssrc, rtx] = /a=ssrc-group:FID (\d+) (\d+)/.exec(CHROMIUM) ?? [];
  assert.deepEqual(publish(CHROMIUM).plan.tracks[1]?.rtpParameters.encodings, [
    { ssrc: Number(ssrc), rtx: { ssrc: Number(rtx) } },
  ]);
});

test('without SSRCs the mid extension tells packets apart', () => {
  const text = replaced(CHROMIUM, /^a=ssrc.*\r\n/, '');
  assert.deepEqual(publish(text).plan.tracks[1]?.rtpParameters.encodings, [{}]);
});

test('an SSRC without its RTX SSRC is left to mid and payload type, which find both', () => {
  const text = replaced(CHROMIUM, /^a=ssrc-group.*\r\n/, '');
  assert.deepEqual(publish(text).plan.tracks[1]?.rtpParameters.encodings, [{}]);
});

test('packets that nothing would tell apart are refused', () => {
  const text = replaced(readOffer('written-obs-publish'), /^a=ssrc.*\r\n/, '');
  assert.throws(
    () => publish(text),
    new RegExp(`neither a=ssrc nor the header extension ${MID_URI} is offered`),
  );
});

test('two tracks with one SSRC are refused', () => {
  const text = replaced(readOffer('written-obs-publish'), '1387492717', '1387492716');
  assert.throws(() => publish(text), /SSRC 1387492716 of mid 1 is used by another stream too/);
});

test('an extension is negotiated if mediasoup knows it for the kind', () => {
  const { answer } = publish(CHROMIUM);
  const offered = linesOf(CHROMIUM, '1', 'a=extmap:');
  const answered = linesOf(answer, '1', 'a=extmap:');
  const unknown = offered.filter((line) => !answered.includes(line)).map((line) => line.split('/').at(-1));
  assert.deepEqual(unknown, ['video-content-type', 'video-timing', 'color-space']);
});

test('the dependency descriptor is negotiated for AV1 only, and only with extmap-allow-mixed', () => {
  const uris = (text: string) =>
    publish(text, ALL_CODECS).plan.tracks.flatMap(({ rtpParameters }) =>
      (rtpParameters.headerExtensions ?? []).map(({ uri }) => uri as string),
    );
  const av1 = readOffer('chromium-publish-av1-svc');
  assert.ok(uris(av1).includes(DEPENDENCY_DESCRIPTOR_URI));
  assert.ok(!uris(readOffer('chromium-publish-vp9-svc')).includes(DEPENDENCY_DESCRIPTOR_URI));
  assert.ok(!uris(readOffer('chromium-publish-simulcast')).includes(DEPENDENCY_DESCRIPTOR_URI));
  const unmixed = replaced(av1, /^a=extmap-allow-mixed\r\n/, '');
  assert.ok(!uris(unmixed).includes(DEPENDENCY_DESCRIPTOR_URI));
  assert.deepEqual(publish(unmixed).plan.tracks[0]?.rtpParameters.encodings?.[0]?.scalabilityMode, undefined);
});

test('the sender is limited by TIAS and AS, in its video section', () => {
  const { answer } = publish(CHROMIUM, ALL_CODECS, { ...OPTIONS, maxBitrateBps: 1_234_567 });
  assert.deepEqual(linesOf(answer, '1', 'b='), ['b=TIAS:1234567', 'b=AS:1235']);
  assert.deepEqual(linesOf(answer, '0', 'b='), []);
});

test('without a limit there are no bandwidth lines', () => {
  const { answer } = publish(CHROMIUM, ALL_CODECS, { sessionId: '1', sessionVersion: 1 });
  assert.doesNotMatch(answer, /^b=/m);
});

test('a sendrecv offer is answered by our half', () => {
  const { answer } = publish(readOffer('chromium-publish-sendrecv'));
  assert.deepEqual(linesOf(answer, '0', 'a=recvonly'), ['a=recvonly']);
});

test('the offerer is DTLS client', () => {
  assert.deepEqual(linesOf(publish(CHROMIUM).answer, '0', 'a=setup'), ['a=setup:passive']);
});

test('one audio and one video track are taken; further sections are rejected in their place', () => {
  const { plan, answer } = publish(readOffer('firefox-publish-extra-transceivers'));
  assert.deepEqual(
    plan.tracks.map(({ mid, kind }) => `${mid} ${kind}`),
    ['1 audio', '3 video'],
  );
  for (const mid of ['0', '2', '4', '5']) {
    assert.match(mLineOf(answer, mid), / 0 UDP/);
    assert.ok(sectionOf(answer, mid).includes('a=inactive'));
  }
});

test('with the first section rejected the BUNDLE tag is an accepted one that has the transport', () => {
  for (const name of ['chromium-publish-stopped-first', 'written-data-channel-first-publish']) {
    const { answer } = publish(readOffer(name));
    const tag = bundleLineOf(answer)?.split(' ')[1] ?? '';
    assert.match(answer, /^m=\w+ 0 /m);
    assert.deepEqual(linesOf(answer, tag, 'a=ice-ufrag'), ['a=ice-ufrag:u3s9serverufrag']);
    assert.equal(linesOf(answer, tag, 'a=candidate').length, 2);
  }
});

test('rtcp-rsize and extmap-allow-mixed are answered only where they were offered', () => {
  const { answer } = publish(readOffer('written-obs-publish'));
  assert.doesNotMatch(answer, /rtcp-rsize|extmap-allow-mixed/);
  assert.match(publish(CHROMIUM).answer, /rtcp-rsize[\s\S]*extmap-allow-mixed/);
});

test('the version of an answer grows, its session stays', () => {
  const offer = parseOffer(CHROMIUM);
  const plan = planPublish(offer, { codecs: ALL_CODECS, router: ROUTER });
  const origin = (sessionVersion: number) =>
    answerPublish(offer, plan, TRANSPORT, { sessionId: '42', sessionVersion }).split('\r\n')[1];
  assert.equal(origin(1), 'o=- 42 1 IN IP4 0.0.0.0');
  assert.equal(origin(2), 'o=- 42 2 IN IP4 0.0.0.0');
});

test('the default destination is the first UDP candidate, or none for a candidate by name', () => {
  const offer = parseOffer(CHROMIUM);
  const plan = planPublish(offer, { codecs: ALL_CODECS, router: ROUTER });
  const answered = (address: string) =>
    answerPublish(
      offer,
      plan,
      {
        ...TRANSPORT,
        iceCandidates: TRANSPORT.iceCandidates.map((candidate) => ({ ...candidate, address })),
      },
      OPTIONS,
    );
  assert.match(mLineOf(answered('192.0.2.9'), '0'), /^m=audio 40000 /);
  assert.deepEqual(linesOf(answered('192.0.2.9'), '0', 'c='), ['c=IN IP4 192.0.2.9']);
  assert.deepEqual(linesOf(answered('2001:db8::9'), '0', 'c='), ['c=IN IP6 2001:db8::9']);
  assert.match(mLineOf(answered('media.example'), '0'), /^m=audio 9 /);
  assert.deepEqual(linesOf(answered('media.example'), '0', 'c='), ['c=IN IP4 0.0.0.0']);
  assert.match(
    linesOf(answered('media.example'), '0', 'a=candidate')[0] ?? '',
    / media\.example 40000 typ host$/,
  );
});
