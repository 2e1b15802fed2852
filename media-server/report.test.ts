import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ProducerStat } from 'mediasoup/types';
import { encodingReports, lossRatio, packetCount, roundTripMs, totalBitrate, totalBytes } from './report.ts';

const stat = (more: Partial<ProducerStat>): ProducerStat => ({
  type: 'inbound-rtp',
  timestamp: 0,
  ssrc: 1,
  kind: 'video',
  mimeType: 'video/VP8',
  packetsLost: 0,
  fractionLost: 0,
  jitter: 0,
  packetsDiscarded: 0,
  packetsRetransmitted: 0,
  packetsRepaired: 0,
  nackCount: 0,
  nackPacketCount: 0,
  pliCount: 0,
  firCount: 0,
  score: 10,
  packetCount: 0,
  byteCount: 0,
  bitrate: 0,
  bitrateByLayer: {},
  ...more,
});

describe('A report', () => {
  test('has the video encodings, lowest first, and no sound among them', () => {
    const stats = [
      stat({ rid: 'h', bitrate: 900 }),
      stat({ kind: 'audio', bitrate: 30 }),
      stat({ rid: 'l', bitrate: 100 }),
    ];
    assert.deepEqual(encodingReports(stats), [
      { rid: 'l', bitrateBps: 100 },
      { rid: 'h', bitrateBps: 900 },
    ]);
    assert.equal(totalBitrate(stats), 1030);
  });

  test('names the one encoding of a stream without simulcast by nothing', () => {
    assert.deepEqual(encodingReports([stat({ bitrate: 5 })]), [{ rid: '', bitrateBps: 5 }]);
  });

  test('adds up packets and bytes', () => {
    const stats = [
      stat({ packetCount: 5, packetsLost: 1, byteCount: 50 }),
      stat({ packetCount: 7, byteCount: 70 }),
    ];
    assert.deepEqual(packetCount(stats), { received: 12, lost: 1 });
    assert.equal(totalBytes(stats), 120);
  });

  test('has the longest round trip, and null where none was measured', () => {
    assert.equal(roundTripMs([stat({ roundTripTime: 12.4 }), stat({ roundTripTime: 30.6 }), stat({})]), 31);
    assert.equal(roundTripMs([stat({}), stat({ roundTripTime: 0 })]), null);
  });
});

describe('The loss between two counts is', () => {
  const cases: readonly [string, number, number, number][] = [
    ['none when none was lost', 100, 0, 0],
    ['the lost among all that were sent', 75, 25, 0.25],
    ['none when a retransmission took a loss back', 10, -3, 0],
    ['all when nothing came', 0, 4, 1],
  ];
  for (const [name, received, lost, expected] of cases) {
    test(name, () => {
      const before = { received: 1000, lost: 10 };
      const now = { received: before.received + received, lost: before.lost + lost };
      assert.equal(lossRatio(before, now), expected);
    });
  }
});
