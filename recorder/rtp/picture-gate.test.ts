import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { References } from './picture.ts';
import { PictureGate } from './picture-gate.ts';

interface Arriving {
  readonly key?: boolean;
  readonly lost?: boolean;
  readonly references?: References;
  readonly timestamp?: number;
}

const layer0 = (index: number): References => ({ provides: index, needs: [(index + 255) & 255] });

describe('The gate of pictures', () => {
  const CASES: readonly (readonly [what: string, pictures: readonly Arriving[], passed: string])[] = [
    ['is closed until the first key frame', [{}, { key: true }, {}], '-++'],
    ['closes at a loss until the next key frame', [{ key: true }, { lost: true }, {}, { key: true }], '+--+'],
    [
      'stays open when the key frame itself is behind the loss',
      [{ key: true }, { key: true, lost: true }, {}],
      '+++',
    ],
    [
      'lets pass what needs nothing of the loss, and what needs that',
      [
        { key: true, references: layer0(255) },
        { references: layer0(0) },
        { references: { needs: [0] }, lost: true },
        { references: {} },
        { references: layer0(1) },
      ],
      '+++-+',
    ],
    [
      'stops what needs the loss, and what needs that',
      [
        { key: true, references: layer0(7) },
        { references: layer0(9), lost: true },
        { references: layer0(10) },
        { references: { needs: [7] } },
      ],
      '+--+',
    ],
    [
      'believes no number after five seconds: it may have wrapped',
      [
        { key: true, references: layer0(7) },
        { references: layer0(8), lost: true, timestamp: 6 * 90_000 },
      ],
      '+-',
    ],
    [
      'forgets at a key frame what was needed before',
      [
        { key: true, references: layer0(7) },
        { key: true, references: layer0(20) },
        { references: layer0(8), lost: true },
        { references: layer0(21) },
      ],
      '++-+',
    ],
  ];
  for (const [what, pictures, passed] of CASES) {
    test(what, () => {
      const gate = new PictureGate();
      const seen = pictures.map((picture) => (gate.passes(assembled(picture)) ? '+' : '-'));
      assert.equal(seen.join(''), passed);
    });
  }

  test('waits for a key frame from the first picture that it stops until one comes', () => {
    const gate = new PictureGate();
    assert.equal(gate.waiting, true);
    gate.passes(assembled({ key: true, references: layer0(1) }));
    assert.equal(gate.waiting, false);
    gate.passes(assembled({ lost: true, references: layer0(2) }));
    assert.equal(gate.waiting, false);
    gate.passes(assembled({ references: {} }));
    assert.equal(gate.waiting, true);
    gate.passes(assembled({ references: layer0(3) }));
    assert.equal(gate.waiting, true);
    gate.passes(assembled({ key: true }));
    assert.equal(gate.waiting, false);
    gate.close();
    assert.equal(gate.waiting, true);
  });
});

function assembled({ key = false, lost = false, references = {}, timestamp = 0 }: Arriving) {
  const picture = { keyFrame: key, data: new Uint8Array(0), references };
  return { picture, timestamp, atMs: 0, afterLoss: lost };
}
