import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { generateRouterRtpCapabilities } from 'mediasoup/ortc';
import { routerCodecs } from './router-codecs.ts';

describe('A router carries', () => {
  test('every codec of the settings, and no other', () => {
    const names = (codecs: Parameters<typeof routerCodecs>[0]) => [
      ...new Set(routerCodecs(codecs).map(({ mimeType }) => mimeType)),
    ];
    assert.deepEqual(names(['VP8', 'opus']), ['video/VP8', 'audio/opus']);
    assert.deepEqual(names(['H264', 'AV1', 'VP9']), ['video/H264', 'video/AV1', 'video/VP9']);
  });

  test('all of them at once, each with a payload type of its own', () => {
    const { codecs = [] } = generateRouterRtpCapabilities(
      routerCodecs(['opus', 'VP8', 'VP9', 'H264', 'AV1']),
    );
    const payloadTypes = codecs.map(({ preferredPayloadType }) => preferredPayloadType);
    assert.equal(new Set(payloadTypes).size, codecs.length);
    assert.equal(codecs.filter(({ mimeType }) => mimeType === 'video/H264').length, 5);
  });
});
