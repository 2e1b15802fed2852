import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from './backoff.ts';
import { decodeMessage, encodeRequest } from './message.ts';
import {
  checkPublishOptions,
  type PublishOptions,
  preferredCodecs,
  tracksToPublish,
  videoEncodings,
} from './offer.ts';

const CHROMIUM = ['VP8', 'rtx', 'VP9', 'H264', 'AV1', 'red', 'ulpfec'].map((name) => ({
  mimeType: `video/${name}`,
}));

test('Simulcast sends three sizes, the lowest first; otherwise there is one encoding', () => {
  assert.deepEqual(
    videoEncodings({ simulcast: true }).map(({ rid, scaleResolutionDownBy }) => [rid, scaleResolutionDownBy]),
    [
      ['l', 4],
      ['m', 2],
      ['h', 1],
    ],
  );
  assert.deepEqual(videoEncodings({}), [{}]);
  assert.deepEqual(videoEncodings({ scalabilityMode: 'L3T3_KEY' }), [{ scalabilityMode: 'L3T3_KEY' }]);
});

test('Only the wanted codecs are offered, in the wanted order, with what repairs them', () => {
  assert.deepEqual(
    preferredCodecs(CHROMIUM, ['H264', 'VP8']).map(({ mimeType }) => mimeType),
    ['video/H264', 'video/VP8', 'video/rtx', 'video/red', 'video/ulpfec'],
  );
});

test('A codec that the browser lacks is refused by name', () => {
  assert.throws(() => preferredCodecs([{ mimeType: 'video/VP8' }], ['H264']), {
    errorName: 'no_common_codec',
    message: /H264/,
  });
});

const wrongOptions: readonly [PublishOptions, RegExp][] = [
  [{ maxBitrateBps: -1 }, /-1/],
  [{ maxBitrateBps: Number.NaN }, /NaN/],
  [{ codecs: [] }, /empty/],
  [{ simulcast: true, codecs: ['VP9', 'AV1'] }, /VP9, AV1/],
];
for (const [options, message] of wrongOptions) {
  test(`The options ${JSON.stringify(options)} are refused`, () => {
    assert.throws(() => checkPublishOptions(options), { errorName: 'invalid_argument', message });
  });
}

test('A stream takes one track of each kind at most, and at least one', () => {
  const track = (kind: string): MediaStreamTrack => ({ kind }) as MediaStreamTrack;
  const both = [track('audio'), track('video')];
  assert.deepEqual(tracksToPublish(both), both);
  assert.throws(() => tracksToPublish([]), { errorName: 'invalid_argument' });
  assert.throws(() => tracksToPublish([track('video'), track('video')]), /one video track; 2/);
});

test('The delay before an attempt doubles up to the cap, and chance takes any part of it', () => {
  const options = { baseMs: 500, capMs: 10_000 };
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 1000].map((attempt) => backoffMs(attempt, 0.999999, options)),
    [500, 1000, 2000, 4000, 8000, 10_000, 10_000],
  );
  assert.equal(backoffMs(3, 0, options), 0);
});

test('A message is a reply when it carries a code, an event when it does not, and else nothing', () => {
  const reply = { err: 0, id: 7, err_msg: 'success', session: 's', data: { sdp: 'x' } };
  assert.deepEqual(decodeMessage(JSON.stringify(reply)), {
    type: 'reply',
    id: 7,
    code: 0,
    message: 'success',
    session: 's',
    data: { sdp: 'x' },
  });
  assert.equal(decodeMessage('{"method":"stream.ended","stream":"a","data":{}}')?.type, 'event');
  for (const nothing of ['', '{', '[]', 'null', '7', '{}', '{"err":0}', '{"err":"0","id":1,"method":"x"}']) {
    assert.equal(decodeMessage(nothing), null, nothing);
  }
});

test('A request carries version, id, session and, only when there is one, the token', () => {
  const fields = { id: 3, method: 'stream.close', stream: 'a', session: '', data: {} } as const;
  assert.deepEqual(JSON.parse(encodeRequest({ ...fields, token: undefined })), { version: '1.0', ...fields });
  assert.equal(JSON.parse(encodeRequest({ ...fields, token: 'jwt' })).token, 'jwt');
});
