/**
 * Where implementations of WebRTC differ from each other and from the specifications, each seen once: one
 * test each.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TRANSPORT_CC_URI } from './extension.ts';
import { parseOffer } from './index.ts';
import { play, publish, readOffer, streamOf, TRANSPORT } from './offers/model.ts';
import { bundleLineOf, linesOf, mLineOf, replaced } from './offers/text.ts';

const VP8 = streamOf('VP8');
const H264 = streamOf('H264');

test('browsers number payload types differently, so each is answered with its own', () => {
  const chromium = publish(readOffer('chromium-publish-audio-video')).answer;
  const firefox = publish(readOffer('firefox-publish-audio-video')).answer;
  assert.equal(mLineOf(chromium, '0').replace(/^.*SAVPF /, ''), '111');
  assert.equal(mLineOf(chromium, '1').replace(/^.*SAVPF /, ''), '96 97');
  assert.equal(mLineOf(firefox, '0').replace(/^.*SAVPF /, ''), '109');
  assert.equal(mLineOf(firefox, '1').replace(/^.*SAVPF /, ''), '120 124');
});

test('a viewer gets its own payload types, whatever the publisher had', () => {
  const { tracks } = play(readOffer('firefox-play-audio-video'), VP8);
  const numbers = tracks.map(({ rtpParameters }) =>
    rtpParameters.codecs.map(({ payloadType }) => payloadType),
  );
  assert.deepEqual(numbers, [[109], [120, 124]]);
});

test('a header extension has another id in another offer of the same browser', () => {
  const idIn = (name: string, mid: string) =>
    linesOf(publish(readOffer(name)).answer, mid, 'a=extmap').find((line) => line.endsWith(TRANSPORT_CC_URI));
  const together = idIn('chromium-publish-audio-video', '1');
  const alone = idIn('chromium-publish-video-only', '0');
  assert.ok(together && alone);
  assert.notEqual(together, alone);
});

test('an id stays bound to its URI when the connection is renegotiated', () => {
  const answer = publish(readOffer('chromium-publish-video-added')).answer;
  const uris = new Map<string, string>();
  for (const line of [...linesOf(answer, '0', 'a=extmap:'), ...linesOf(answer, '1', 'a=extmap:')]) {
    const [id = '', uri = ''] = line.slice('a=extmap:'.length).split(' ');
    assert.equal(uris.get(id) ?? uri, uri);
    uris.set(id, uri);
  }
});

test('an id that means two things in one transport is refused', () => {
  const text = replaced(
    readOffer('chromium-publish-audio-video'),
    /^a=extmap:14 .*toffset/,
    'a=extmap:1 urn:ietf:params:rtp-hdrext:toffset',
  );
  assert.throws(
    () => parseOffer(text),
    /header extension id 1 is "urn:ietf:params:rtp-hdrext:toffset" here and/,
  );
});

for (const browser of ['chromium', 'firefox']) {
  test(`${browser} keeps simulcast only if the rid extensions are answered with it`, () => {
    const { answer } = publish(readOffer(`${browser}-publish-simulcast`));
    assert.deepEqual(linesOf(answer, '1', 'a=simulcast'), ['a=simulcast:recv q;h;f']);
    assert.deepEqual(linesOf(answer, '1', 'a=rid'), ['a=rid:q recv', 'a=rid:h recv', 'a=rid:f recv']);
    const uris = linesOf(answer, '1', 'a=extmap').map((line) => line.split(':').at(-1));
    assert.ok(uris.includes('rtp-stream-id'));
    assert.ok(browser === 'firefox' || uris.includes('repaired-rtp-stream-id'));
  });
}

test('simulcast without the rid extension is answered as one encoding', () => {
  const text = replaced(readOffer('firefox-publish-simulcast'), /^a=extmap:.*rtp-stream-id\r\n/, '');
  const { plan, answer } = publish(text);
  assert.equal(plan.tracks[1]?.rtpParameters.encodings?.length, 1);
  assert.deepEqual(linesOf(answer, '1', 'a=simulcast'), []);
});

test('simulcast streams are told apart by rid, with SSRCs in the offer (Firefox) or without (Chromium)', () => {
  const rids = (name: string) => publish(readOffer(name)).plan.tracks[1]?.rtpParameters.encodings;
  const wanted = ['q', 'h', 'f'].map((rid) => ({ rid, scalabilityMode: 'L1T3' }));
  assert.match(readOffer('firefox-publish-simulcast'), /^a=ssrc-group:FID/m);
  assert.doesNotMatch(readOffer('chromium-publish-simulcast').split('m=video')[1] ?? '', /^a=ssrc/m);
  assert.deepEqual(rids('firefox-publish-simulcast'), wanted);
  assert.deepEqual(rids('chromium-publish-simulcast'), wanted);
});

test('a=ssrc in a section that only receives, as Firefox writes it, names nothing that is sent', () => {
  const text = replaced(
    readOffer('firefox-publish-extra-transceivers'),
    'a=recvonly\r\n',
    'a=recvonly\r\na=ssrc:77 cname:unused\r\n',
  );
  const ssrcs = publish(text).plan.tracks.flatMap(({ rtpParameters }) => rtpParameters.encodings ?? []);
  assert.ok(ssrcs.every(({ ssrc }) => ssrc !== 77));
});

test('an extension that Firefox only receives is not expected of it', () => {
  const text = readOffer('firefox-publish-audio-video');
  assert.match(text, /^a=extmap:6\/recvonly .*playout-delay/m);
  assert.deepEqual(linesOf(publish(text).answer, '1', 'a=extmap:6'), []);
});

test('an extension that Firefox only receives is answered as sent', () => {
  const { answer } = play(readOffer('firefox-play-audio-video'), VP8);
  assert.match(linesOf(answer, '1', 'a=extmap:6').join(), /^a=extmap:6\/sendonly .*playout-delay$/);
});

test('a Firefox without H264 is told so when the stream has nothing else', () => {
  const video = H264.filter(({ kind }) => kind === 'video');
  assert.throws(
    () => play(readOffer('firefox-play-video-only'), video),
    /no common codec with the stream: its video is H264 \(packetization-mode=1, profile-level-id=42e01f\), offered are VP8, VP9, AV1/,
  );
});

test('a stream that a Firefox without H264 cannot see is still heard', () => {
  const { plan, answer } = play(readOffer('firefox-play-audio-video'), H264);
  assert.deepEqual(
    plan.tracks.map(({ kind }) => kind),
    ['audio'],
  );
  assert.match(mLineOf(answer, '1'), /^m=video 0 /);
});

test('H264 of another profile is not taken: 42001f (Baseline) is not 42e01f (Constrained Baseline)', () => {
  const text = replaced(
    readOffer('chromium-publish-h264'),
    'profile-level-id=42e01f',
    'profile-level-id=42001f',
  );
  const { plan } = publish(text, ['opus', 'H264']);
  assert.deepEqual(
    plan.tracks.map(({ codec }) => codec),
    ['opus'],
  );
});

test('H264 of another level is taken: the profile decides', () => {
  const text = replaced(
    readOffer('chromium-publish-h264'),
    'profile-level-id=42e01f',
    'profile-level-id=42e034',
  );
  const { plan, answer } = publish(text, ['H264']);
  assert.equal(plan.tracks[0]?.codec, 'H264');
  assert.match(linesOf(answer, '1', 'a=fmtp:108').join(), /profile-level-id=42e034/);
});

test('H264 of another packetization mode is not taken', () => {
  const text = replaced(readOffer('written-obs-publish'), 'packetization-mode=1', 'packetization-mode=0');
  assert.deepEqual(
    publish(text).plan.tracks.map(({ codec }) => codec),
    ['opus'],
  );
});

test('Safari puts High before Constrained Baseline: the one that matches is taken', () => {
  const { plan } = publish(readOffer('written-safari-publish'), ['opus', 'H264']);
  assert.equal(plan.tracks[1]?.rtpParameters.codecs[0]?.payloadType, 98);
});

test('a profile-level-id of digits only stays text', () => {
  const text = replaced(
    readOffer('written-obs-publish'),
    'profile-level-id=42e01f',
    'profile-level-id=640028',
  );
  const [, video] = parseOffer(text).sections;
  assert.equal(video?.codecs[0]?.parameters['profile-level-id'], '640028');
});

test('VP9 of profile 2 is not taken for profile 0', () => {
  const text = replaced(readOffer('chromium-play-vp9'), /profile-id=0/, 'profile-id=2');
  assert.throws(
    () => play(text, streamOf('VP9')),
    /its video is VP9 \(profile-id=0\), offered are VP9 \(profile-id=2\)/,
  );
});

test('AV1 of profile 1 is not taken for profile 0', () => {
  const text = replaced(readOffer('chromium-play-av1'), /profile=0/, 'profile=1');
  assert.throws(() => play(text, streamOf('AV1')), /offered are AV1 \(profile=1\)/);
});

test('codec names differ in case, and keep theirs in the answer', () => {
  const { answer } = publish(readOffer('written-gstreamer-publish'));
  assert.deepEqual(linesOf(answer, 'audio1', 'a=rtpmap'), ['a=rtpmap:98 OPUS/48000/2']);
  const lower = replaced(readOffer('written-gstreamer-play'), 'VP8/90000', 'vp8/90000');
  assert.deepEqual(linesOf(play(lower, VP8).answer, 'video0', 'a=rtpmap:96'), ['a=rtpmap:96 vp8/90000']);
});

test('Opus without its channels still has two', () => {
  const text = replaced(readOffer('written-aiortc-publish'), 'opus/48000/2', 'opus/48000');
  const { plan, answer } = publish(text);
  assert.equal(plan.tracks[0]?.rtpParameters.codecs[0]?.channels, 2);
  assert.deepEqual(linesOf(answer, '0', 'a=rtpmap'), ['a=rtpmap:96 opus/48000']);
});

for (const payloadType of ['0', '34', '64', '95']) {
  test(`payload type ${payloadType} of Opus is refused: it is not dynamic`, () => {
    const text = replaced(
      replaced(readOffer('written-obs-publish'), 'SAVPF 111', `SAVPF ${payloadType}`),
      /:111 /,
      `:${payloadType} `,
    );
    assert.throws(
      () => parseOffer(text),
      new RegExp(`opus has payload type ${payloadType}, which is not dynamic`),
    );
  });
}

test('payload types 35 to 63 are dynamic too: Chromium uses them', () => {
  const text = replaced(replaced(readOffer('written-obs-publish'), 'SAVPF 111', 'SAVPF 35'), /:111 /, ':35 ');
  assert.equal(publish(text).plan.tracks[0]?.rtpParameters.codecs[0]?.payloadType, 35);
});

test('sections keep their order when some are rejected', () => {
  const text = readOffer('chromium-publish-extra-transceivers');
  const types = (sdp: string) => [...sdp.matchAll(/^m=(\w+)/gm)].map(([, type]) => type);
  const { answer } = publish(text);
  assert.deepEqual(types(answer), types(text));
  assert.deepEqual(
    [...answer.matchAll(/^m=\w+ (\d+)/gm)].map(([, port]) => port !== '0'),
    [false, true, false, true, false, false],
  );
});

test('remote candidates are ignored, whatever stands in them', () => {
  const text = replaced(
    readOffer('written-obs-publish'),
    /^a=candidate:.*/,
    'a=candidate:nonsense from anywhere',
  );
  const { answer } = publish(text);
  assert.equal(linesOf(answer, '1', 'a=candidate').length, TRANSPORT.iceCandidates.length);
  assert.deepEqual(linesOf(answer, '1', 'a=end-of'), ['a=end-of-candidates']);
});

test('an offer without candidates (trickle ICE) is taken', () => {
  assert.doesNotMatch(readOffer('written-safari-publish'), /^a=candidate/m);
  assert.equal(publish(readOffer('written-safari-publish')).plan.tracks.length, 2);
});

test('REMB stays beside transport-cc for a publisher that negotiates the one and only sends the other', () => {
  const { answer } = publish(readOffer('chromium-publish-audio-video'));
  const feedback = linesOf(answer, '1', 'a=rtcp-fb:96').map((line) => line.slice('a=rtcp-fb:96 '.length));
  assert.ok(feedback.includes('goog-remb') && feedback.includes('transport-cc'));
  assert.ok(linesOf(answer, '1', 'a=extmap').some((line) => line.endsWith('abs-send-time')));
});

test('webrtcbin without max-bundle is told to set it', () => {
  assert.throws(
    () => parseOffer(readOffer('written-gstreamer-publish-unbundled')),
    /set the bundle policy to max-bundle/,
  );
});

test('port 0 with bundle-only is not a rejected section', () => {
  const { answer, plan } = publish(readOffer('written-gstreamer-publish'));
  assert.equal(plan.tracks.length, 2);
  assert.equal(bundleLineOf(answer), 'a=group:BUNDLE video0 audio1');
});

for (const [codec, mode] of [
  ['vp9', 'L3T3'],
  ['av1', 'L1T3'],
] as const) {
  test(`layers of ${codec} are announced to mediasoup as ${mode} where the offer shows SVC, and only there`, () => {
    const modeIn = (name: string) =>
      publish(readOffer(name)).plan.tracks.find(({ kind }) => kind === 'video')?.rtpParameters.encodings?.[0]
        ?.scalabilityMode;
    assert.equal(modeIn(`chromium-publish-${codec}-svc`), mode);
    assert.equal(modeIn(`chromium-publish-${codec}`), undefined);
    assert.equal(modeIn(`firefox-publish-${codec}`), undefined);
  });
}

test('an ICE restart is a new ufrag with the same fingerprint', () => {
  const before = parseOffer(readOffer('chromium-publish-audio-video'));
  const after = parseOffer(
    replaced(readOffer('chromium-publish-audio-video'), /^a=ice-ufrag:.*/, 'a=ice-ufrag:newone'),
  );
  assert.notEqual(after.ice.ufrag, before.ice.ufrag);
  assert.deepEqual(after.fingerprints, before.fingerprints);
});
