import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opusDuration } from './opus.ts';

/** RFC 6716 section 3.1, table 2: configuration, frames and the samples of 48 kHz that they are. */
const PACKETS: readonly (readonly [what: string, bytes: readonly number[], duration: number | undefined])[] =
  [
    ['one frame of 20 ms, CELT, stereo', [0xfc, 0xff, 0xfe], 960],
    ['one frame of 20 ms of silence', [0xf8, 0xff, 0xfe], 960],
    ['one frame of 2.5 ms', [16 << 3, 0], 120],
    ['one frame of 10 ms, SILK', [0 << 3, 0], 480],
    ['one frame of 60 ms, SILK', [3 << 3, 0], 2880],
    ['one frame of 10 ms, hybrid', [12 << 3, 0], 480],
    ['one frame of 20 ms, hybrid', [13 << 3, 0], 960],
    ['two frames of 20 ms, of one size', [0xf9, 0, 0], 1920],
    ['two frames of 20 ms, of two sizes', [0xfa, 1, 0, 0], 1920],
    ['five frames of 20 ms', [0xfb, 5], 4800],
    ['six frames of 20 ms, the most there may be', [0xfb, 6], 5760],
    ['seven frames of 20 ms', [0xfb, 7], undefined],
    ['no frames', [0xfb, 0], undefined],
    ['a count that is cut off', [0xfb], undefined],
    ['DTX: the first byte alone', [0xf8], 960],
    ['nothing', [], undefined],
  ];

for (const [what, bytes, duration] of PACKETS) {
  test(`An Opus packet with ${what} lasts ${duration ?? 'for no time: it is none'}`, () => {
    assert.equal(opusDuration(Uint8Array.from(bytes)), duration);
  });
}
