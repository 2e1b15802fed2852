import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Av1 } from './av1.ts';

/** Chromium's for 320x180: profile 0, level 2.0, 8 bits, 4:2:0. */
const SEQUENCE = [0x08, 0, 0, 0, 0x04, 0x3c, 0xfe, 0xcc, 0x01, 0xa0, 0x08];
const TEMPORAL_DELIMITER = [0x10];
const KEY = [0x30, 0x10, 1, 2, 3];
const INTER = [0x30, 0x30, 4, 5];

describe('AV1 out of RTP', () => {
  test('writes a size into each unit and leaves temporal delimiters out', () => {
    const whole = [0x32, 3, 0x30, 4, 5];
    assert.deepEqual(data([0x10, ...INTER]), whole);
    assert.deepEqual(data([0x20, 1, ...TEMPORAL_DELIMITER, ...INTER]), whole);
    assert.deepEqual(data([0x00, 1, ...TEMPORAL_DELIMITER, 4, ...INTER]), whole);
  });

  test('keeps a size that is there, and an extension for layers', () => {
    assert.deepEqual(data([0x10, 0x36, 0x28, 2, 0x30, 9]), [0x36, 0x28, 2, 0x30, 9]);
    assert.deepEqual(data([0x10, 0x34, 0x28, 0x30, 9]), [0x36, 0x28, 2, 0x30, 9]);
  });

  test('joins a unit that was cut between packets, over several of them', () => {
    const whole = [0x32, 3, 0x30, 4, 5];
    assert.deepEqual(data([0x50, 0x30, 0x30], [0x90, 4, 5]), whole);
    assert.deepEqual(data([0x50, 0x30], [0xd0, 0x30, 4], [0x90, 5]), whole);
    assert.deepEqual(data([0x60, 1, ...TEMPORAL_DELIMITER, 0x30], [0x90, 0x30, 4, 5]), whole);
  });

  test('refuses what lacks its beginning, its end, or a part', () => {
    assert.equal(data([0x90, 4, 5]), undefined);
    assert.equal(data([0x50, 0x30, 0x30]), undefined);
    assert.equal(data([0x50, 0x30, 0x30], [0x10, ...INTER]), undefined);
    assert.equal(data([0x20, 9, ...INTER]), undefined);
    assert.equal(data([0x10]), undefined);
    assert.equal(data([0x00, 0x80]), undefined);
    assert.equal(data([0x10, ...TEMPORAL_DELIMITER]), undefined);
  });

  test('takes a picture for a key frame with its sequence header, which tells size and configuration', () => {
    const picture = assemble([0x20, SEQUENCE.length, ...SEQUENCE, ...KEY]);
    assert.equal(picture?.keyFrame, true);
    assert.deepEqual(picture?.size, { width: 320, height: 180 });
    const sized = [0x0a, 10, ...SEQUENCE.slice(1)];
    assert.deepEqual(picture?.codecPrivate, Uint8Array.of(0x81, 0, 0x0c, 0, ...sized));
    assert.deepEqual(picture?.data, Uint8Array.of(...sized, 0x32, 4, ...KEY.slice(1)));
  });

  test('takes no picture for a key frame that lacks its sequence header, or needs others', () => {
    assert.equal(assemble([0x10, ...KEY])?.keyFrame, false);
    assert.equal(assemble([0x20, SEQUENCE.length, ...SEQUENCE, ...INTER])?.keyFrame, false);
  });

  test('refuses a sequence header that is cut off', () => {
    const cut = SEQUENCE.slice(0, -2);
    assert.equal(data([0x20, cut.length, ...cut, ...KEY]), undefined);
  });
});

function assemble(...payloads: readonly number[][]) {
  return new Av1().assemble(payloads.map((payload) => Uint8Array.from(payload)));
}

function data(...payloads: readonly number[][]): number[] | undefined {
  const picture = assemble(...payloads);
  return picture && [...picture.data];
}
