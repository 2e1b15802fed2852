import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseSenderReports } from './sender-report.ts';

const REPORT = [0x80, 200, 0, 6, 0, 0, 0, 9, 0xe0, 0, 0, 1, 0x80, 0, 0, 0, 1, 2, 3, 4];
const COUNTS = [0, 0, 0, 5, 0, 0, 0, 6];
const DESCRIPTION = [0x81, 202, 0, 2, 0, 0, 0, 9, 1, 1, 65, 0];

describe('Sender reports', () => {
  test('are found in a compound packet, with wall clock and RTP time', () => {
    const packet = Uint8Array.from([...DESCRIPTION, ...REPORT, ...COUNTS, ...DESCRIPTION]);
    assert.deepEqual(parseSenderReports(packet, 77), [
      { ssrc: 9, ntpMs: 0xe0000001 * 1000 + 500, rtpTimestamp: 0x01020304, atMs: 77 },
    ]);
  });

  test('may be several in one packet, those of a paused track too', () => {
    const packet = Uint8Array.from([...REPORT, ...COUNTS, ...REPORT, ...COUNTS]);
    assert.equal(parseSenderReports(packet, 0).length, 2);
  });

  test('of a sender without a wall clock are left out', () => {
    const packet = Uint8Array.from([...REPORT.with(8, 0).with(11, 0).with(12, 0), ...COUNTS]);
    assert.deepEqual(parseSenderReports(packet, 0), []);
  });

  test('that are cut off are no reports, and hide none before them', () => {
    const whole = [...REPORT, ...COUNTS];
    for (let length = 0; length < whole.length; length += 1) {
      assert.equal(parseSenderReports(Uint8Array.from(whole.slice(0, length)), 0).length, 0);
      const behind = Uint8Array.from([...whole, ...whole.slice(0, length)]);
      assert.equal(parseSenderReports(behind, 0).length, 1);
    }
  });
});
