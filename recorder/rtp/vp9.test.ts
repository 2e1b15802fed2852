import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCapture, readCapture } from './harness/capture.ts';
import { readTrack } from './harness/reading.ts';
import { Vp9 } from './vp9.ts';
import { parseVp9Descriptor } from './vp9-descriptor.ts';
import { parseVp9Header } from './vp9-header.ts';
import { hideFrame, joinSuperframe, splitSuperframe } from './vp9-superframe.ts';

describe('A VP9 payload descriptor', () => {
  const CASES: readonly (readonly [what: string, bytes: readonly number[], expected: unknown])[] = [
    ['of one byte', [0x0c, 1], { bytes: 1, ...whole(0) }],
    ['with a short picture id, which tells nothing', [0x8c, 0x7f, 1], { bytes: 2, ...whole(0) }],
    ['with a long picture id', [0x8c, 0x81, 2, 1], { bytes: 3, ...whole(0), pictureId: 0x102 }],
    ['with layers and an index', [0x2c, 0x25, 7, 1], { bytes: 3, ...whole(2) }],
    ['in flexible mode', [0x3c, 0x22, 1], { bytes: 2, ...whole(1), referenceDistances: [] }],
    [
      'in flexible mode with three references',
      [0x7c, 0, 3, 5, 8, 1],
      { bytes: 5, ...whole(0), referenceDistances: [1, 2, 4] },
    ],
    ['in flexible mode with a fourth', [0x7c, 0, 3, 5, 9, 1, 1], undefined],
    ['with sizes of two layers', [0x0e, 0x30, 0, 1, 0, 2, 0, 3, 0, 4, 1], { bytes: 10, ...whole(0) }],
    ['with a group of pictures', [0x0e, 0x08, 2, 0x04, 9, 0x48, 8, 9, 1], { bytes: 8, ...whole(0) }],
    ['with a structure that is cut off', [0x0e, 0x38, 0, 1, 0, 2], undefined],
    ['with nothing behind it', [0x8c, 0x81, 2], undefined],
    ['that is missing', [], undefined],
  ];
  for (const [what, bytes, expected] of CASES) {
    test(what, () => assert.deepEqual(parseVp9Descriptor(Uint8Array.from(bytes)), expected));
  }

  function whole(spatialLayer: number) {
    return { startsLayerFrame: true, endsLayerFrame: true, spatialLayer };
  }
});

describe('A VP9 superframe', () => {
  test('is split as it was joined', () => {
    const frames = [1, 300, 70_000].map((length) => new Uint8Array(length).fill(length));
    assert.deepEqual(splitSuperframe(joinSuperframe(frames)), frames);
  });

  test('is read with sizes of one byte too', () => {
    const index = [0xc1, 2, 1, 0xc1];
    assert.deepEqual(splitSuperframe(Uint8Array.of(7, 8, 9, ...index)), [
      Uint8Array.of(7, 8),
      Uint8Array.of(9),
    ]);
  });

  test('is one frame when its index is none', () => {
    const cases = [[7, 8, 9, 0xc1], [9, 0xc1, 200, 1, 0xc1], [0xc7]];
    for (const bytes of cases) {
      const data = Uint8Array.from(bytes);
      assert.deepEqual(splitSuperframe(data), [data]);
    }
  });

  test('of spatial layers shows the highest alone', () => {
    for (const name of ['vp9-spatial', 'vp9-spatial-key']) {
      const capture = readCapture(name);
      const { frames } = readTrack(capture.track, parseCapture(capture));
      const slots: ({ width: number; height: number } | undefined)[] = [];
      let layered = 0;
      for (const { data } of frames) {
        const parts = splitSuperframe(data);
        if (parts.length > 1) layered += 1;
        const shown = parts.map((part) => {
          const header = parseVp9Header(part, slots);
          assert.ok(header !== undefined && !header.showsExisting);
          for (let slot = 0; slot < 8; slot += 1) {
            if (((header.refresh >> slot) & 1) === 1) slots[slot] = header.size;
          }
          return header.shown;
        });
        assert.deepEqual(shown, [...Array(parts.length - 1).fill(false), true]);
      }
      assert.ok(layered > 40, `${layered} pictures with several layers`);
    }
  });
});

describe('A hidden VP9 frame', () => {
  test('has the same header as before behind the bit that is put in', () => {
    const frames = ['vp9', 'vp9-temporal', 'vp9-firefox'].flatMap((name) => {
      const capture = readCapture(name);
      return readTrack(capture.track, parseCapture(capture)).frames;
    });
    const slots = Array(8).fill({ width: 320, height: 180 });
    let inserted = 0;
    for (const { data } of frames) {
      const header = parseVp9Header(data, slots);
      assert.ok(header !== undefined && !header.showsExisting);
      const hidden = hideFrame(data, header);
      const again = parseVp9Header(hidden, slots);
      const bits = header.bits + (header.keyFrame ? 0 : 1);
      assert.deepEqual(again, { ...header, shown: false, bits });
      inserted += hidden.length - data.length;
      assert.deepEqual(hidden.subarray(Math.ceil(bits / 8)), data.subarray(Math.ceil(header.bits / 8)));
    }
    assert.ok(inserted > 0, 'some headers fill their last byte, and grow by one');
  });
});

describe('What a VP9 picture needs', () => {
  test('is told by its references where its frames are error resilient', () => {
    const [key, second] = references('vp9-temporal');
    assert.deepEqual(key?.needs, []);
    assert.deepEqual(second?.needs, [key?.provides]);
  });

  test('is everything before it where its probabilities may come from any frame', () => {
    const [key, second] = references('vp9');
    assert.equal(second?.provides, ((key?.provides ?? 0) + 1) & 0x7fff);
    assert.equal(second?.needs, undefined);
  });

  test('is not told without flexible mode', () => {
    const [, second] = references('vp9-firefox');
    assert.deepEqual(Object.keys(second ?? {}), ['provides']);
  });

  /** Of a capture's first pictures, each of one packet. */
  function references(name: string) {
    const codec = new Vp9();
    return parseCapture(readCapture(name))
      .slice(0, 2)
      .map(({ packet }) => codec.assemble([packet.payload], false)?.references);
  }
});
