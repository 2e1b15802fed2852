import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRtpPacket } from './packet.ts';

describe('An RTP packet', () => {
  test('is its fixed header and its payload', () => {
    const packet = parseRtpPacket(Uint8Array.of(0x80, 0xe0, 1, 2, 1, 2, 3, 4, 0xff, 0, 0, 1, 7, 8, 9));
    assert.deepEqual(packet, {
      ssrc: 0xff000001,
      payloadType: 96,
      sequenceNumber: 0x0102,
      timestamp: 0x01020304,
      marker: true,
      payload: Uint8Array.of(7, 8, 9),
    });
  });

  test('loses contributing sources, header extensions and padding', () => {
    const sources = [1, 1, 1, 1, 2, 2, 2, 2];
    const extensions = [0xbe, 0xde, 0, 1, 0x10, 0xaa, 0, 0];
    const bytes = [0xb2, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, ...sources, ...extensions, 5, 6, 0, 0, 3];
    assert.deepEqual(parseRtpPacket(Uint8Array.from(bytes))?.payload, Uint8Array.of(5, 6));
  });

  test('may be padding alone', () => {
    const bytes = [0xa0, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 3];
    assert.equal(parseRtpPacket(Uint8Array.from(bytes))?.payload.length, 0);
  });

  test('is refused when it is cut off, of another version, or more padding than packet', () => {
    const header = [96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3];
    const refused = [
      [],
      [0x80, ...header.slice(0, -1)],
      [0x40, ...header],
      [0x82, ...header, 1, 1, 1, 1],
      [0x90, ...header, 0xbe, 0xde, 0, 2, 1, 2, 3, 4],
      [0xa0, ...header, 1, 1, 0],
      [0xa0, ...header, 1, 1, 4],
    ];
    for (const bytes of refused) assert.equal(parseRtpPacket(Uint8Array.from(bytes)), undefined);
  });
});
