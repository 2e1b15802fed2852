import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CapturedPacket, readCapture } from './harness/capture.ts';
import { seededRandom } from './harness/random.ts';
import { parseRtpPacket } from './packet.ts';
import { REORDER_LIMITS } from './reorder-buffer.ts';
import { parseSenderReports } from './sender-report.ts';
import { TrackReader } from './track-reader.ts';

const MUTATIONS = 100_000;
/** Of the processor, which other work on the machine does not take: a packet takes some microseconds. */
const MAX_CPU_MS = 10_000;

const CAPTURES: Readonly<Record<string, readonly string[]>> = {
  Opus: ['opus'],
  VP8: ['vp8', 'vp8-temporal', 'vp8-simulcast'],
  VP9: ['vp9', 'vp9-temporal', 'vp9-spatial'],
  AV1: ['av1', 'av1-layers'],
};

for (const [codec, names] of Object.entries(CAPTURES)) {
  test(`${MUTATIONS} damaged packets of ${codec} are read without a throw, within bounds and soon`, () => {
    const started = process.cpuUsage();
    const random = seededRandom(codec.length * 7919);
    let frames = 0;
    for (const name of names) {
      const { track, packets } = readCapture(name);
      const reader = new TrackReader(track);
      const bound = REORDER_LIMITS.maxPackets * track.ssrcs.length;
      for (let count = 0; count < MUTATIONS / names.length; count += 1) {
        const arriving = packets[count % packets.length];
        assert.ok(arriving);
        const round = Math.floor(count / packets.length);
        const atMs = round * 6000 + arriving.atMs;
        const packet = parseRtpPacket(damage(arriving, packets, round, random));
        if (packet !== undefined) frames += reader.push(packet, atMs).length;
        if (count % 10 === 0) frames += reader.tick(atMs).length;
        if (count % 997 === 0) frames += reader.mute(random() < 0.5, atMs).length;
        assert.ok(reader.held <= bound, `${reader.held} packets are held`);
      }
      frames += reader.end(Number.MAX_SAFE_INTEGER).length;
      assert.equal(reader.held, 0);
    }
    const { user, system } = process.cpuUsage(started);
    const tookMs = (user + system) / 1000;
    assert.ok(tookMs < MAX_CPU_MS, `it took ${tookMs} ms`);
    assert.ok(frames > MUTATIONS / 100, `${frames} frames: the damage is such that nothing is read`);
  });
}

test(`${MUTATIONS} damaged compound packets are read without a throw`, () => {
  const random = seededRandom(42);
  const report = [
    0x80, 200, 0, 6, 0, 0, 0, 9, 0xe0, 0, 0, 1, 0x80, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 5, 0, 0, 0, 6,
  ];
  for (let count = 0; count < MUTATIONS; count += 1) {
    const bytes = Uint8Array.from([...report, ...report]).subarray(0, Math.floor(random() * 57));
    for (let flips = random() * 4; flips > 1; flips -= 1) flip(bytes, random);
    assert.ok(parseSenderReports(bytes, 0).length <= 2);
  }
});

/** Most packets stay whole, that frames come about at all; the rest is cut, flipped, mixed or renumbered. */
function damage(
  { bytes }: CapturedPacket,
  others: readonly CapturedPacket[],
  round: number,
  random: () => number,
): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const view = new DataView(copy.buffer);
  view.setUint16(2, (view.getUint16(2) + round * others.length) & 0xffff);
  const kind = random();
  if (kind < 0.9) return copy;
  if (kind < 0.92) return copy.subarray(0, Math.floor(random() * copy.length));
  if (kind < 0.94) {
    for (let flips = 1 + random() * 8; flips > 0; flips -= 1) flip(copy, random);
    return copy;
  }
  if (kind < 0.96) {
    // The descriptors are where the damage is worst.
    for (let at = 12; at < Math.min(20, copy.length); at += 1) copy[at] = random() * 256;
    return copy;
  }
  if (kind < 0.98) {
    const other = others[Math.floor(random() * others.length)]?.bytes ?? copy;
    copy.set(other.subarray(12, copy.length), 12);
    return copy;
  }
  view.setUint16(2, random() * 2 ** 16);
  if (random() < 0.3) view.setUint32(4, random() * 2 ** 32);
  return copy;
}

function flip(bytes: Uint8Array, random: () => number): void {
  const at = Math.floor(random() * bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
}
