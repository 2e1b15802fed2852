import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Frame } from '../frame.ts';
import { type ArrivingPacket, parseCapture, readCapture } from './harness/capture.ts';
import { duplicate, jitter, lose } from './harness/network.ts';
import { seededRandom } from './harness/random.ts';
import { readTrack } from './harness/reading.ts';
import { TrackReader } from './track-reader.ts';

/** What each capture holds: whole pictures, or packets of sound. */
const CAPTURES: Readonly<Record<string, number>> = {
  opus: 149,
  vp8: 99,
  'vp8-firefox': 97,
  'vp8-temporal': 124,
  vp9: 99,
  'vp9-firefox': 86,
  'vp9-temporal': 123,
  'vp9-spatial': 107,
  'vp9-spatial-key': 123,
  av1: 99,
  'av1-layers': 99,
};

for (const [name, count] of Object.entries(CAPTURES)) {
  describe(`What a browser sent as ${name}`, () => {
    const capture = readCapture(name);
    const packets = parseCapture(capture);
    const { frames } = readTrack(capture.track, packets);

    test('comes out whole and in order', () => {
      assert.equal(frames.length, count);
      assert.ok(frames[0]?.keyFrame);
      for (const [before, frame] of pairs(frames)) assert.ok(frame.rtpTimestamp > before.rtpTimestamp);
      const sizes = frames.filter(({ keyFrame }) => keyFrame).map(({ size }) => size?.width);
      if (capture.track.kind === 'video') assert.ok(sizes.every((width) => width === 320 || width === 640));
    });

    test('comes out the same when packets are late by up to 300 ms and come twice', () => {
      for (let seed = 0; seed < 5; seed += 1) {
        const random = seededRandom(seed);
        const [first, ...rest] = packets;
        assert.ok(first);
        const disturbed = [first, ...duplicate(jitter(rest, 300, random), 0.2, random)];
        assert.deepEqual(readTrack(capture.track, disturbed).frames.map(essence), frames.map(essence));
      }
    });

    test('comes out the same when its numbers wrap, and the timestamps count on', () => {
      const [first] = packets;
      assert.ok(first);
      const shifted = packets.map(({ packet, atMs }) => ({
        atMs,
        packet: {
          ...packet,
          sequenceNumber: (packet.sequenceNumber - first.packet.sequenceNumber + 65_500) & 0xffff,
          timestamp: (packet.timestamp - first.packet.timestamp + 2 ** 32 - 30_000) % 2 ** 32,
        },
      }));
      const again = readTrack(capture.track, shifted).frames;
      assert.equal(again.length, count);
      for (const [before, frame] of pairs(again)) assert.ok(frame.rtpTimestamp > before.rtpTimestamp);
      assert.ok((again.at(-1)?.rtpTimestamp ?? 0) > 2 ** 32);
    });

    test('with losses comes out as some of the same frames, and says where some are missing', () => {
      const whole = new Map(frames.map((frame) => [frame.rtpTimestamp, frame]));
      const order = frames.map(({ rtpTimestamp }) => rtpTimestamp);
      for (let seed = 0; seed < 20; seed += 1) {
        const kept = lose(packets, 0.05, seededRandom(seed));
        const left = readTrack(capture.track, kept).frames;
        for (const frame of left) {
          const same = whole.get(frame.rtpTimestamp);
          assert.ok(same, 'a frame that was never sent');
          assert.equal(essence(frame), essence(same));
        }
        for (const [before, frame] of pairs(left)) {
          const missing = order.indexOf(frame.rtpTimestamp) - order.indexOf(before.rtpTimestamp) > 1;
          if (missing) assert.ok(frame.afterLoss, `unsaid loss before ${frame.rtpTimestamp}, seed ${seed}`);
        }
      }
    });
  });
}

describe('A reader of video', () => {
  const capture = readCapture('vp8');
  const packets = parseCapture(capture);

  test('asks for a key frame at once, and every second until one comes', () => {
    const whole = readTrack(capture.track, packets).frames;
    const keyAgain = whole.findIndex(({ keyFrame }, index) => keyFrame && index > 0);
    const { requestedAtMs, frames } = readTrack(capture.track, packets.slice(1));
    assert.deepEqual(requestedAtMs, [100, 1100]);
    assert.equal(frames[0]?.keyFrame, true);
    assert.equal(frames[0]?.afterLoss, false, 'nothing was lost before the first frame');
    assert.equal(frames.length, whole.length - keyAgain);
  });

  test('asks for one after a loss that cannot be mended, 800 ms later at most', () => {
    const lossy = packets.toSpliced(20, 1);
    const lostAtMs = packets[20]?.atMs ?? 0;
    // Before there is a key frame anyway.
    const soon = lossy.filter(({ atMs }) => atMs < lostAtMs + 300);
    const { requestedAtMs } = readTrack(capture.track, soon, { endMs: lostAtMs + 1500 });
    const { frames } = readTrack(capture.track, lossy);
    const [requested = 0] = requestedAtMs.slice(-1);
    assert.ok(requested - lostAtMs <= 1000 && requested > lostAtMs, `asked at ${requestedAtMs}`);
    const [behind] = frames.filter(({ afterLoss }) => afterLoss);
    assert.equal(behind?.keyFrame, true);
  });

  test('asks for none while its track is muted, and begins with a key frame behind it', () => {
    const reader = new TrackReader(capture.track);
    const before = packets.slice(0, 30);
    const behind = packets.slice(45);
    const frames = before.flatMap(({ packet, atMs }) => reader.push(packet, atMs));
    frames.push(...reader.mute(true, 1400));
    assert.equal(reader.keyFrameDue(3000), false);
    frames.push(...reader.mute(false, 5000));
    assert.equal(reader.keyFrameDue(5000), true);
    const after = behind.flatMap(({ packet, atMs }) => reader.push(packet, atMs + 5000));
    after.push(...reader.tick(12_000));
    assert.equal(frames.length, 30);
    assert.deepEqual([after[0]?.keyFrame, after[0]?.afterLoss], [true, false]);
  });

  test('ignores packets that are not of its track', () => {
    const reader = new TrackReader(capture.track);
    for (const { packet, atMs } of packets) {
      assert.deepEqual(reader.push({ ...packet, ssrc: packet.ssrc + 1 }, atMs), []);
      assert.deepEqual(reader.push({ ...packet, payloadType: 1 }, atMs), []);
    }
    assert.equal(reader.held, 0);
  });

  test('refuses a codec that WebM does not hold', () => {
    assert.throws(() => new TrackReader({ ...capture.track, codec: 'H264' }), /H264 cannot be recorded/);
  });

  test('keeps a picture to itself that a browser left off in the middle', () => {
    const large = readCapture('vp9-spatial');
    const arriving = parseCapture(large);
    const { frames } = readTrack(large.track, arriving);
    const sent = new Set(arriving.map(({ packet }) => packet.timestamp));
    assert.equal(sent.size - frames.length, 1);
    assert.equal(frames.filter(({ afterLoss }) => afterLoss).length, 1);
  });
});

describe('A reader of simulcast', () => {
  const capture = readCapture('vp8-simulcast');
  const packets = parseCapture(capture);
  const [low, high] = capture.track.ssrcs;
  const { frames, requestedAtMs } = readTrack(capture.track, packets);

  test('records the larger encoding, the smaller one while it is gone, and the larger one again', () => {
    assert.deepEqual(runs(frames), [high, low, high]);
  });

  test('changes at key frames only, and misses no more than the stall and the wait for one', () => {
    for (const [before, frame] of pairs(frames)) {
      if (before.ssrc === frame.ssrc) continue;
      assert.equal(frame.keyFrame, true);
      assert.equal(frame.afterLoss, frame.ssrc === low);
      assert.ok(frame.atMs - before.atMs < 1200, `${frame.atMs - before.atMs} ms`);
    }
  });

  test('asks for a key frame when the larger one stalls', () => {
    const stalled = requestedAtMs.filter((atMs) => atMs > 5000 && atMs < 8500);
    assert.ok(stalled.length >= 1, `asked at ${requestedAtMs}`);
  });

  test('asks rarely for one that would only make the picture larger', () => {
    const arriving = packets.filter(
      ({ packet, atMs }) => packet.ssrc === low || (atMs > 300 && !isKeyFrame(packet)),
    );
    const endless = Array.from({ length: 8 }, (_, round) => repeat(arriving, round)).flat();
    const asked = readTrack(capture.track, endless).requestedAtMs;
    assert.ok(asked.length <= 6, `asked at ${asked}`);
  });

  /** The VP8 payload header's first bit, behind the descriptor that Chromium writes. */
  function isKeyFrame({ payload }: ArrivingPacket['packet']): boolean {
    return payload.length > 6 && ((payload[0] ?? 0) & 0x10) !== 0 && ((payload[6] ?? 1) & 1) === 0;
  }

  function repeat(arriving: readonly ArrivingPacket[], round: number): ArrivingPacket[] {
    const counts = new Map<number, number>();
    for (const { packet } of arriving) counts.set(packet.ssrc, (counts.get(packet.ssrc) ?? 0) + 1);
    const last = arriving.at(-1)?.atMs ?? 0;
    return arriving.map(({ packet, atMs }) => ({
      atMs: atMs + round * (last + 40),
      packet: { ...packet, sequenceNumber: (packet.sequenceNumber + round * 600) & 0xffff },
    }));
  }
});

function runs(frames: readonly Frame[]): number[] {
  return frames.map(({ ssrc }) => ssrc).filter((ssrc, index, all) => ssrc !== all[index - 1]);
}

/** In a line, so that a difference of thousands of bytes is told in one too. */
function essence({ rtpTimestamp, keyFrame, data, duration }: Frame): string {
  const digest = createHash('sha256').update(data).digest('hex').slice(0, 16);
  return `${rtpTimestamp} ${keyFrame ? 'key' : 'inter'} ${duration} ${digest}`;
}

function pairs<T>(list: readonly T[]): (readonly [T, T])[] {
  return list.slice(1).flatMap((item, index) => {
    const before = list[index];
    return before === undefined ? [] : [[before, item] as const];
  });
}
