import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../protocol/error.ts';
import { MID_URI, TRANSPORT_CC_URI } from './extension.ts';
import { answerPlay, parseOffer, planPlay } from './index.ts';
import { consume, OPTIONS, play, publish, readOffer, streamOf, TRANSPORT } from './offers/model.ts';
import { bundleLineOf, linesOf, mLineOf, replaced, sectionOf } from './offers/text.ts';

const VP8 = streamOf('VP8');
const CHROMIUM = readOffer('chromium-play-audio-video');

test("a track is consumed with the viewer's numbers and the producer's encodings", () => {
  const { plan } = play(readOffer('firefox-play-audio-video'), VP8);
  const [, producer] = VP8;
  const [, video] = plan.tracks;
  assert.equal(video?.producerId, 'video-producer');
  assert.deepEqual(
    video?.consumable.codecs.map(({ mimeType, payloadType, parameters }) => [
      mimeType,
      payloadType,
      parameters?.apt,
    ]),
    [
      ['video/VP8', 120, undefined],
      ['video/rtx', 124, 120],
    ],
  );
  assert.deepEqual(video?.consumable.encodings, producer?.consumableRtpParameters.encodings);
  assert.deepEqual(
    video?.rtpCapabilities.codecs?.map(({ preferredPayloadType }) => preferredPayloadType),
    [120, 124],
  );
});

test("extensions are those that the viewer offers and the producer has, with the viewer's ids", () => {
  const { tracks } = play(readOffer('firefox-play-audio-video'), VP8);
  assert.deepEqual(
    tracks[1]?.rtpParameters.headerExtensions?.map(({ id, uri }) => `${id} ${uri.split(/[:/]/).at(-1)}`),
    [
      '3 mid',
      '4 abs-send-time',
      '5 toffset',
      '6 playout-delay',
      '7 draft-holmer-rmcat-transport-wide-cc-extensions-01',
    ],
  );
});

test('a viewer without RTX gets none', () => {
  const text = replaced(CHROMIUM, /^a=rtpmap:97 rtx.*\r\n/, '');
  const { tracks, answer } = play(text, VP8);
  assert.equal(tracks[1]?.rtpParameters.codecs.length, 1);
  assert.deepEqual(linesOf(answer, '1', 'a=ssrc-group'), []);
});

test('a stream in a codec that no section offers is refused, with what both have', () => {
  assert.throws(
    () => play(readOffer('firefox-play-vp9'), VP8.slice(1)),
    (error) => {
      assert.ok(error instanceof MillraceError);
      assert.equal(error.errorName, 'no_common_codec');
      assert.match(error.message, /its video is VP8, offered are VP9$/);
      return true;
    },
  );
});

test('an offer that receives nothing is refused', () => {
  assert.throws(
    () => play(readOffer('chromium-publish-audio-video'), VP8),
    /invalid SDP: nothing is received/,
  );
});

test('an offer for sound alone is refused by a stream that has none', () => {
  assert.throws(
    () => play(readOffer('chromium-play-audio-only'), VP8.slice(1)),
    /the stream has video, the offer receives audio; offer a recvonly section for what it has/,
  );
});

test('a kind that the stream lacks is rejected in its place, outside BUNDLE', () => {
  const { answer } = play(CHROMIUM, VP8.slice(0, 1));
  assert.match(mLineOf(answer, '1'), /^m=video 0 /);
  assert.ok(sectionOf(answer, '1').includes('a=inactive'));
  assert.equal(bundleLineOf(answer), 'a=group:BUNDLE 0');
});

test('a data channel is rejected in its place, the first place too', () => {
  const { answer } = play(readOffer('written-data-channel-first-play'), VP8);
  assert.equal(mLineOf(answer, 'data'), 'm=application 0 UDP/DTLS/SCTP webrtc-datachannel');
  assert.equal(bundleLineOf(answer), 'a=group:BUNDLE 0 1');
});

test('sections that the viewer sends in, or has too many of, are rejected', () => {
  const { plan, answer } = play(readOffer('chromium-play-extra-transceivers'), VP8);
  assert.deepEqual(
    plan.tracks.map(({ mid }) => mid),
    ['2', '4'],
  );
  assert.equal(bundleLineOf(answer), 'a=group:BUNDLE 2 4');
});

test('a sendrecv offer is answered by our half', () => {
  const { answer } = play(readOffer('firefox-play-sendrecv'), VP8);
  assert.deepEqual(linesOf(answer, '1', 'a=sendonly'), ['a=sendonly']);
});

test('the mid extension is negotiated up to 8 bytes of mid, which is what the worker can write', () => {
  const uris = (mid: string) => {
    const text = replaced(readOffer('chromium-play-video-only'), /^a=(mid:|group:BUNDLE )0/, `a=$1${mid}`);
    const [track] = play(text, VP8).plan.tracks;
    assert.equal(track?.mid, mid);
    return track.consumable.headerExtensions?.map(({ uri }) => uri) ?? [];
  };
  assert.ok(uris('eight-ch').includes(MID_URI));
  assert.ok(!uris('nine-char').includes(MID_URI));
});

test('transport-cc is used where the viewer offers its feedback and its extension', () => {
  const { tracks } = play(CHROMIUM, VP8);
  const video = tracks[1]?.rtpParameters;
  assert.ok(video?.codecs[0]?.rtcpFeedback?.some(({ type }) => type === 'transport-cc'));
  assert.ok(video?.headerExtensions?.some(({ uri }) => uri === TRANSPORT_CC_URI));
});

test('REMB is used where the viewer offers the extension of transport-cc but not its feedback', () => {
  const text = replaced(CHROMIUM, /^a=rtcp-fb:\d+ transport-cc\r\n/, '');
  const { tracks } = play(text, VP8);
  const feedback = tracks[1]?.rtpParameters.codecs[0]?.rtcpFeedback?.map(({ type }) => type) ?? [];
  assert.ok(feedback.includes('goog-remb'));
  assert.ok(!tracks[1]?.rtpParameters.headerExtensions?.some(({ uri }) => uri === TRANSPORT_CC_URI));
});

test('REMB is used where the viewer knows nothing else (aiortc)', () => {
  const feedback = play(readOffer('written-aiortc-play'), VP8).tracks[1]?.rtpParameters.codecs[0]
    ?.rtcpFeedback;
  assert.deepEqual(
    feedback?.map(({ type, parameter }) => `${type} ${parameter}`),
    ['nack ', 'nack pli', 'goog-remb '],
  );
});

test('the plan keeps both kinds of congestion feedback, as far as offered', () => {
  const feedback = play(CHROMIUM, VP8).plan.tracks[1]?.rtpCapabilities.codecs?.[0]?.rtcpFeedback ?? [];
  const types = feedback.map(({ type }) => type);
  assert.ok(types.includes('transport-cc') && types.includes('goog-remb'));
});

test('tracks come with msid, cname and FID, all in one MediaStream', () => {
  const { answer, tracks } = play(CHROMIUM, VP8);
  const [encoding] = tracks[1]?.rtpParameters.encodings ?? [];
  const cname = tracks[1]?.rtpParameters.rtcp?.cname;
  assert.deepEqual(linesOf(answer, '0', 'a=msid:'), ['a=msid:stream-1 audio']);
  assert.deepEqual(linesOf(answer, '1', 'a=msid:'), ['a=msid:stream-1 video']);
  assert.deepEqual(linesOf(answer, '1', 'a=ssrc'), [
    `a=ssrc:${encoding?.ssrc} cname:${cname}`,
    `a=ssrc:${encoding?.rtx?.ssrc} cname:${cname}`,
    `a=ssrc-group:FID ${encoding?.ssrc} ${encoding?.rtx?.ssrc}`,
  ]);
});

test('a viewer is not limited by bandwidth lines', () => {
  assert.doesNotMatch(play(CHROMIUM, VP8).answer, /^b=/m);
});

test("format parameters in the answer are the viewer's own, the consumer's are the publisher's", () => {
  const stream = publish(replaced(readOffer('chromium-publish-h264'), '42e01f', '42e034'), [
    'opus',
    'H264',
  ]).producers;
  const { plan, answer } = play(readOffer('chromium-play-h264'), stream);
  const payloadType = plan.tracks[0]?.consumable.codecs[0]?.payloadType;
  assert.equal(plan.tracks[0]?.consumable.codecs[0]?.parameters?.['profile-level-id'], '42e034');
  assert.match(linesOf(answer, '0', `a=fmtp:${payloadType} `).join(), /profile-level-id=42e01f/);
});

test('a planned track that is not played after all is rejected', () => {
  const offer = parseOffer(CHROMIUM);
  const plan = planPlay(offer, VP8);
  const answer = answerPlay(offer, plan, TRANSPORT, consume(plan).slice(0, 1), OPTIONS);
  assert.match(mLineOf(answer, '1'), /^m=video 0 /);
});

test('a MediaStream id that does not fit into msid is a mistake of the caller', () => {
  const offer = parseOffer(CHROMIUM);
  const plan = planPlay(offer, VP8);
  assert.throws(
    () => answerPlay(offer, plan, TRANSPORT, consume(plan, 'two words'), OPTIONS),
    (error) => error instanceof MillraceError && error.errorName === 'internal',
  );
});

test('an H264 stream that a Safari viewer takes is sent in its second format, not in High', () => {
  const { tracks } = play(readOffer('written-safari-play'), streamOf('H264'));
  assert.equal(tracks[1]?.rtpParameters.codecs[0]?.payloadType, 98);
});
