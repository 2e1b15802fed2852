import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseVp8Descriptor, Vp8 } from './vp8.ts';

const KEY_DATA = [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x41, 0xb4, 0x80, 7];
const INTER_DATA = [0x11, 0, 0, 8];

describe('A VP8 payload descriptor', () => {
  const CASES: readonly (readonly [what: string, bytes: readonly number[], expected: unknown])[] = [
    ['of one byte', [0x10, 1], { bytes: 1, starts: true, layerSync: false }],
    ['of a packet that goes on', [0x00, 1], { bytes: 1, starts: false, layerSync: false }],
    ['of a later partition', [0x11, 1], { bytes: 1, starts: false, layerSync: false }],
    ['with a short picture id', [0x90, 0x80, 0x7f, 1], { bytes: 3, starts: true, layerSync: false }],
    ['with a long picture id', [0x90, 0x80, 0x80, 0, 1], { bytes: 4, starts: true, layerSync: false }],
    [
      'with layers',
      [0x90, 0xf0, 0x80, 5, 9, 0xa0, 1],
      { bytes: 6, starts: true, tl0PicIdx: 9, temporalLayer: 2, layerSync: true },
    ],
    ['with a key frame index only', [0x90, 0x10, 0xff, 1], { bytes: 3, starts: true, layerSync: false }],
    ['with nothing behind it', [0x90, 0x80, 0x80, 5], undefined],
    ['that is cut off', [0x90, 0xf0, 0x80], undefined],
    ['that is missing', [], undefined],
  ];
  for (const [what, bytes, expected] of CASES) {
    test(what, () => assert.deepEqual(parseVp8Descriptor(Uint8Array.from(bytes)), expected));
  }
});

describe('VP8', () => {
  test('puts a key frame together and reads its size, without the scaling', () => {
    const picture = assemble([0x10, ...KEY_DATA.slice(0, 4)], [0x00, ...KEY_DATA.slice(4)]);
    assert.deepEqual(picture?.data, Uint8Array.from(KEY_DATA));
    assert.equal(picture?.keyFrame, true);
    assert.deepEqual(picture?.size, { width: 320, height: 180 });
  });

  test('refuses a picture without its beginning, or with another in it', () => {
    assert.equal(assemble([0x00, ...INTER_DATA]), undefined);
    assert.equal(assemble([0x10, ...INTER_DATA], [0x10, ...INTER_DATA]), undefined);
  });

  test('refuses a key frame without start code or size', () => {
    assert.equal(assemble([0x10, ...KEY_DATA.with(3, 0)]), undefined);
    assert.equal(assemble([0x10, ...KEY_DATA.slice(0, 9)]), undefined);
    assert.equal(assemble([0x10, ...KEY_DATA.with(6, 0).with(7, 0)]), undefined);
  });

  test('says what a picture needs where temporal layers tell it', () => {
    const layered = (layers: number) => assemble([0x90, 0x60, 0, layers, ...INTER_DATA])?.references;
    assert.deepEqual(layered(0x00), { provides: 0, needs: [255] });
    assert.deepEqual(layered(0x60), { needs: [0] });
    assert.deepEqual(layered(0x40), {});
    assert.deepEqual(assemble([0x10, ...INTER_DATA])?.references, {});
  });
});

function assemble(...payloads: readonly number[][]) {
  return new Vp8().assemble(payloads.map((payload) => Uint8Array.from(payload)));
}
