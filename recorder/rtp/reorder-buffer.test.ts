import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RtpPacket } from './packet.ts';
import { type OrderedPacket, REORDER_LIMITS, ReorderBuffer } from './reorder-buffer.ts';

/** A network on which nothing comes late. */
const KNOWN = { ...REORDER_LIMITS, maxHoldMs: 400 };

describe('The reorder buffer', () => {
  test('lets a packet leave at once when its predecessors are there', () => {
    const buffer = new ReorderBuffer();
    assert.equal(show(buffer.push(numbered(65534), 0)), '65534');
    assert.equal(show(buffer.push(numbered(65535), 20)), '65535');
    assert.equal(show(buffer.push(numbered(0), 40)), '0');
    assert.equal(buffer.size, 0);
  });

  test('holds packets behind a missing one until it comes', () => {
    const buffer = new ReorderBuffer();
    buffer.push(numbered(10), 0);
    assert.equal(show(buffer.push(numbered(13), 10)), '');
    assert.equal(show(buffer.push(numbered(12), 20)), '');
    assert.equal(show(buffer.push(numbered(11), 300)), '11 12 13');
  });

  test('gives a missing packet up 400 ms after the first one behind it', () => {
    const buffer = new ReorderBuffer(KNOWN);
    buffer.push(numbered(1), 0);
    buffer.push(numbered(4), 100);
    buffer.push(numbered(3), 200);
    buffer.push(numbered(6), 300);
    assert.equal(show(buffer.tick(499)), '');
    assert.equal(show(buffer.tick(500)), '3! 4');
    assert.equal(show(buffer.tick(699)), '');
    assert.equal(show(buffer.tick(700)), '6!');
  });

  test('gives up without a tick when packets go on', () => {
    const buffer = new ReorderBuffer(KNOWN);
    buffer.push(numbered(1), 0);
    buffer.push(numbered(3), 100);
    assert.equal(show(buffer.push(numbered(4), 500)), '3! 4');
  });

  test('waits for as long as packets are seen to come late, and not for ever', () => {
    const buffer = new ReorderBuffer();
    const lose = (number: number, atMs: number) => buffer.push(numbered(number + 1), atMs);
    buffer.push(numbered(1), 0);
    // Nothing is known yet.
    lose(2, 0);
    assert.equal(show(buffer.tick(799)), '');
    assert.equal(show(buffer.tick(800)), '3!');
    lose(4, 25_000);
    assert.equal(show(buffer.tick(25_400)), '5!');
    // Too late for itself, but the next one that is missing may take as long.
    assert.equal(show(buffer.push(numbered(4), 25_500)), '');
    lose(6, 26_000);
    assert.equal(show(buffer.tick(26_600)), '');
    assert.equal(show(buffer.push(numbered(6), 26_650)), '6 7');
    lose(8, 27_000);
    assert.equal(show(buffer.tick(27_799)), '');
    assert.equal(show(buffer.tick(27_800)), '9!');
    // When nothing has been late for a while it is as before.
    lose(10, 60_000);
    assert.equal(show(buffer.tick(60_400)), '11!');
  });

  test('drops duplicates, and what comes after it was given up', () => {
    const buffer = new ReorderBuffer(KNOWN);
    buffer.push(numbered(1), 0);
    assert.equal(show(buffer.push(numbered(1), 1)), '');
    buffer.push(numbered(3), 2);
    assert.equal(show(buffer.push(numbered(3), 3)), '');
    assert.deepEqual([buffer.size, buffer.bytes], [1, 1]);
    buffer.tick(500);
    assert.equal(show(buffer.push(numbered(2), 501)), '');
    assert.equal(show(buffer.push(numbered(4), 502)), '4');
  });

  test('gives up early when it is full of packets or of bytes', () => {
    const buffer = new ReorderBuffer({ holdMs: 400, maxHoldMs: 800, maxPackets: 3, maxBytes: 3000 });
    buffer.push(numbered(1), 0);
    for (const number of [3, 4, 5]) assert.equal(show(buffer.push(numbered(number), 1)), '');
    assert.equal(show(buffer.push(numbered(6), 2)), '3! 4 5 6');
    buffer.push(numbered(8, 2000), 3);
    assert.equal(show(buffer.push(numbered(9, 1001), 3)), '8! 9');
    assert.equal(buffer.bytes, 0);
  });

  test('follows a sender that begins anew far away, and says so', () => {
    const buffer = new ReorderBuffer();
    buffer.push(numbered(1), 0);
    assert.equal(show(buffer.push(numbered(30_000), 20)), '');
    assert.equal(show(buffer.push(numbered(30_001), 40)), '30000! 30001');
    assert.equal(show(buffer.push(numbered(30_002), 60)), '30002');
  });

  test('believes no lone packet from far away', () => {
    const buffer = new ReorderBuffer();
    buffer.push(numbered(1), 0);
    assert.equal(show(buffer.push(numbered(30_000), 20)), '');
    assert.equal(show(buffer.push(numbered(2), 40)), '2');
    assert.equal(show(buffer.push(numbered(40_000), 60)), '');
    assert.equal(show(buffer.push(numbered(3), 80)), '3');
  });

  test('follows a sender that begins anew a little behind, when nothing else comes', () => {
    const buffer = new ReorderBuffer();
    for (let number = 1000; number < 1010; number += 1) buffer.push(numbered(number), number);
    let seen: OrderedPacket[] = [];
    for (let count = 0; count < 5; count += 1) {
      seen = seen.concat(buffer.push(numbered(500 + count), 4000 + 20 * count));
    }
    assert.equal(show(seen), '501! 502 503 504');
  });

  test('drained, gives everything up', () => {
    const buffer = new ReorderBuffer();
    for (const number of [1, 3, 5]) buffer.push(numbered(number), 0);
    assert.equal(show(buffer.drain()), '3! 5!');
    assert.equal(show(buffer.push(numbered(6), 1)), '6');
  });
});

function numbered(sequenceNumber: number, bytes = 1): RtpPacket {
  const payload = new Uint8Array(bytes);
  return { ssrc: 1, payloadType: 96, sequenceNumber, timestamp: 0, marker: false, payload };
}

/** Sequence numbers; `!` where something was lost in front. */
function show(packets: readonly OrderedPacket[]): string {
  return packets
    .map(({ packet, lostBefore }) => `${packet.sequenceNumber}${lostBefore ? '!' : ''}`)
    .join(' ');
}
