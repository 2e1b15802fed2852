import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PictureCodec } from './picture.ts';
import { PictureAssembler } from './picture-assembler.ts';

interface Arriving {
  readonly at: number;
  readonly bytes?: number;
  readonly marker?: boolean;
  readonly lost?: boolean;
}

/** Joins what it is given, unless a part is 255: no picture. */
function codec(seesEnd: boolean): PictureCodec {
  return {
    seesEnd,
    assemble: (payloads) =>
      payloads.some(([first]) => first === 255)
        ? undefined
        : { keyFrame: false, data: Uint8Array.from(payloads.flatMap((payload) => [...payload])) },
  };
}

describe('Pictures are assembled', () => {
  const CASES: readonly (readonly [
    what: string,
    packets: readonly Arriving[],
    marked: string,
    seen?: string,
  ])[] = [
    ['up to the marker', [{ at: 1 }, { at: 1, marker: true }, { at: 2, marker: true }], '1:2 2:1'],
    [
      'not without a marker, where the codec does not see the end',
      [{ at: 1 }, { at: 2, marker: true }],
      '2:1!',
      '1:1 2:1',
    ],
    ['not with a hole', [{ at: 1 }, { at: 1, marker: true, lost: true }, { at: 2, marker: true }], '2:1!'],
    ['not when the end may be lost', [{ at: 1 }, { at: 2, marker: true, lost: true }], '2:1!'],
    ['behind a loss, which they tell', [{ at: 1, marker: true, lost: true }], '1:1!'],
    [
      'with a loss told that padding stood behind',
      [
        { at: 1, bytes: 0, lost: true },
        { at: 2, marker: true },
        { at: 3, marker: true },
      ],
      '2:1! 3:1',
    ],
    ['though padding stands in the middle', [{ at: 1 }, { at: 1, bytes: 0 }, { at: 1, marker: true }], '1:2'],
    [
      'not when the codec refuses them',
      [
        { at: 1, bytes: 255, marker: true },
        { at: 2, marker: true },
      ],
      '2:1!',
    ],
  ];
  for (const [what, packets, marked, seen = marked] of CASES) {
    test(what, () => {
      assert.equal(assemble(packets, false), marked);
      assert.equal(assemble(packets, true), seen);
    });
  }

  test('up to 8 MiB: what is larger is broken, and nothing of it is kept', () => {
    const assembler = new PictureAssembler(codec(false));
    const payload = new Uint8Array(60_000);
    for (let count = 0; count < 1000; count += 1) {
      assert.deepEqual(assembler.push(arriving({ at: 1 }, payload)), []);
    }
    assert.deepEqual(assembler.push(arriving({ at: 1, marker: true }, payload)), []);
    assert.equal(assembler.push(arriving({ at: 2, marker: true }, Uint8Array.of(1)))[0]?.afterLoss, true);
  });
});

/** Times with lengths; `!` behind a loss. */
function assemble(packets: readonly Arriving[], seesEnd: boolean): string {
  const assembler = new PictureAssembler(codec(seesEnd));
  return packets
    .flatMap((packet) => assembler.push(arriving(packet, payloadOf(packet))))
    .map(({ timestamp, picture, afterLoss }) => `${timestamp}:${picture.data.length}${afterLoss ? '!' : ''}`)
    .join(' ');
}

function payloadOf({ bytes = 1 }: Arriving): Uint8Array {
  return bytes === 0 ? new Uint8Array(0) : Uint8Array.of(bytes);
}

function arriving({ at, marker = false, lost = false }: Arriving, payload: Uint8Array) {
  const packet = { ssrc: 1, payloadType: 96, sequenceNumber: 0, timestamp: at, marker, payload };
  return { packet, atMs: at, lostBefore: lost };
}
