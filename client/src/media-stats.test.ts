import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MediaStatsSampler } from './media-stats.ts';

type Entry = { id: string; type: string; timestamp: number } & Record<string, unknown>;
// The sampler only walks the report, as it would walk the browser's.
const report = (...entries: Entry[]) => entries as unknown as Parameters<MediaStatsSampler['sample']>[0];

const outbound = (timestamp: number, bytesSent: number): Entry => ({
  id: 'out-h',
  type: 'outbound-rtp',
  kind: 'video',
  rid: 'h',
  codecId: 'c',
  timestamp,
  bytesSent,
  packetsSent: bytesSent / 1000,
  frameWidth: 1280,
  frameHeight: 720,
  framesPerSecond: 30,
});

test('Rates come from the difference of two samples; the first has none', () => {
  const sampler = new MediaStatsSampler('outbound');
  assert.equal(sampler.sample(report(outbound(1000, 0))).bitrateBps, 0);
  const { bitrateBps, encodings } = sampler.sample(
    report(outbound(3000, 250_000), { id: 'c', type: 'codec', timestamp: 3000, mimeType: 'video/VP8' }),
  );
  assert.equal(bitrateBps, 1_000_000);
  assert.deepEqual(encodings, [
    {
      kind: 'video',
      rid: 'h',
      codec: 'VP8',
      bitrateBps: 1_000_000,
      width: 1280,
      height: 720,
      framesPerSecond: 30,
    },
  ]);
});

test('A counter that began anew gives no negative rate', () => {
  const sampler = new MediaStatsSampler('outbound');
  sampler.sample(report(outbound(1000, 500_000)));
  assert.equal(sampler.sample(report(outbound(2000, 100))).bitrateBps, 0);
});

test("What a sender loses is what the other end reports, and its round trip is the path's", () => {
  const { lossRatio, roundTripMs } = new MediaStatsSampler('outbound').sample(
    report(
      { id: 'r', type: 'remote-inbound-rtp', timestamp: 0, fractionLost: 0.02, roundTripTime: 0.5 },
      { id: 'p', type: 'candidate-pair', timestamp: 0, state: 'succeeded', currentRoundTripTime: 0.012 },
    ),
  );
  assert.equal(lossRatio, 0.02);
  assert.equal(roundTripMs, 12);
});

test('What a receiver loses is counted since the sample before, late packets forgiven', () => {
  const inbound = (packetsReceived: number, packetsLost: number): Entry => ({
    id: 'in',
    type: 'inbound-rtp',
    kind: 'video',
    timestamp: packetsReceived,
    packetsReceived,
    packetsLost,
    framesDecoded: packetsReceived / 10,
  });
  const sampler = new MediaStatsSampler('inbound');
  assert.equal(sampler.sample(report()).lossRatio, null);
  sampler.sample(report(inbound(1000, 0)));
  assert.equal(sampler.sample(report(inbound(1090, 10))).lossRatio, 0.1);
  assert.equal(sampler.sample(report(inbound(1190, 5))).lossRatio, 0);
});
