import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leastLoaded } from './least-loaded.ts';

const place = (load: number, streams = 0) => ({ load, streams, viewers: 0 });
const always = (value: number) => () => value;
const DRAWS = [0, 0.2, 0.4, 0.6, 0.8, 0.999];

test('Of few it is the least loaded, whatever is drawn', () => {
  const places = [place(0.5), place(0.31), place(0.2, 9), place(0.9)];
  for (const draw of DRAWS) assert.equal(leastLoaded(places, always(draw))?.load, 0.2);
});

test('Of many it is one of the idlest quarter, so that all who decide at once do not choose the same', () => {
  const places = Array.from({ length: 100 }, (_, index) => place(index / 100));
  const chosen = new Set<number>();
  for (let first = 0; first < 1; first += 0.02) {
    for (const second of DRAWS) {
      let draws = 0;
      const found = leastLoaded(places, () => (draws++ === 0 ? first : second));
      assert.ok(found && found.load < 0.25);
      chosen.add(found.load);
    }
  }
  assert.ok(chosen.size > 15, `${chosen.size}`);
});

test('Of the two that are drawn the clearly less loaded wins, else the one with fewer streams', () => {
  const many = (...ends: readonly number[]) => [
    ...Array.from({ length: 6 }, () => place(0.9)),
    place(ends[0] ?? 0, 1),
    place(ends[1] ?? 0, 0),
  ];
  for (const draw of DRAWS) {
    assert.equal(leastLoaded(many(0.1, 0.3), always(draw))?.load, 0.1);
    assert.equal(leastLoaded(many(0.3, 0.33), always(draw))?.load, 0.33);
  }
});
