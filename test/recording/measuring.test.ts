import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { judge, measure } from './harness/measure.ts';
import { type SyntheticFile, writeSyntheticFile } from './harness/synthetic-source.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-measuring-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

const WISH: SyntheticFile = { seconds: 10, fps: 25, encoder: 'libvpx', bitrate: '200k' };

async function measured(wish: Partial<SyntheticFile> = {}) {
  files += 1;
  const file = join(folder, `${files}.webm`);
  await writeSyntheticFile(file, { ...WISH, ...wish });
  return measure(file, { fps: wish.fps ?? WISH.fps });
}

describe('The measuring of a file', () => {
  test('finds nothing wrong where nothing is', async () => {
    const { pictures, unreadable, framesLost, longestHoleMs, silences, warnings, ...times } =
      await measured();
    assert.deepEqual(
      pictures.map(({ counter }) => counter),
      Array.from({ length: 250 }, (_, counter) => counter),
    );
    assert.deepEqual(
      { unreadable, framesLost, longestHoleMs },
      { unreadable: 0, framesLost: 0, longestHoleMs: 40 },
    );
    assert.deepEqual(silences, []);
    assert.deepEqual(warnings, []);
    assert.deepEqual(
      times.beeps.map(({ tone }) => tone),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.ok(Math.abs(times.worstOffsetMs) < 3, `offset ${times.worstOffsetMs} ms`);
    assert.ok(times.worstClockErrorMs <= 1, `clock ${times.worstClockErrorMs} ms`);
  });

  test('counts frames that are left out, and how long nothing came', async () => {
    const hole = Array.from({ length: 12 }, (_, index) => 60 + index);
    const { framesLost, longestHoleMs, worstClockErrorMs } = await measured({
      without: [20, ...hole, 200, 201],
    });
    assert.equal(framesLost, 15);
    assert.equal(longestHoleMs, 520);
    assert.ok(worstClockErrorMs <= 1);
  });

  test('sees sound that is 100 ms late, at every beep', async () => {
    const { medianOffsetMs, worstOffsetMs, offsets } = await measured({ soundDelayMs: 100 });
    assert.ok(offsets.length >= 8, `${offsets.length} beeps`);
    assert.ok(Math.abs(medianOffsetMs - 100) < 3, `median ${medianOffsetMs} ms`);
    assert.ok(Math.abs(worstOffsetMs - 100) < 3, `worst ${worstOffsetMs} ms`);
  });

  test('finds silence to some milliseconds, and takes no cut beep for one that is late', async () => {
    const { silences, worstOffsetMs, beeps } = await measured({
      silences: [
        { fromMs: 2500, toMs: 2900 },
        { fromMs: 4950, toMs: 5060 },
      ],
    });
    assert.equal(silences.length, 2);
    for (const [index, expected] of [2500, 4950].entries()) {
      assert.ok(Math.abs((silences[index]?.fromMs ?? 0) - expected) < 25, JSON.stringify(silences));
    }
    assert.ok(!beeps.some(({ tone }) => tone === 5));
    assert.ok(Math.abs(worstOffsetMs) < 3, `offset ${worstOffsetMs} ms`);
  });

  test('reads pictures of another size and rate, and a counter that wraps', async () => {
    const { pictures, framesLost, medianOffsetMs } = await measured({
      fps: 15,
      encoder: 'libvpx-vp9',
      bitrate: '100k',
      size: '96x160',
      firstCounter: 65_535 - 75,
    });
    assert.equal(pictures.length, 150);
    assert.equal(framesLost, 0);
    assert.equal(pictures.at(-1)?.counter, 65_535 + 74);
    assert.ok(Math.abs(medianOffsetMs) < 3, `offset ${medianOffsetMs} ms`);
  });
});

describe('Of pictures that were read', () => {
  const at = (counters: readonly (number | undefined)[], firstMs = 0) =>
    counters.map((counter, index) => ({ ptsMs: firstMs + index * 40, counter }));

  test('one that cannot be read is not lost, and is counted by itself', () => {
    const { framesLost, unreadable } = judge(at([1, 2, undefined, 4, undefined, 7]), []);
    assert.deepEqual({ framesLost, unreadable }, { framesLost: 1, unreadable: 2 });
  });

  test('those that the source never drew are not lost', () => {
    const { framesLost } = judge(at([1, 2, 5, 6, 9]), [], { drawn: [1, 2, 3, 5, 6, 9] });
    assert.equal(framesLost, 1);
  });

  test('a source that begins anew loses nothing in between, and its clock is its own', () => {
    const decoded = [...at([50_000, 50_001, 50_002]), ...at([3, 4, 5], 5000)];
    const { framesLost, longestHoleMs, worstClockErrorMs, pictures } = judge(decoded, []);
    assert.deepEqual(
      { framesLost, longestHoleMs, worstClockErrorMs },
      {
        framesLost: 0,
        longestHoleMs: 4920,
        worstClockErrorMs: 0,
      },
    );
    assert.equal(pictures.length, 6);
  });

  test('one at the wrong time is a fault of the clock', () => {
    const decoded = at([1, 2, 3, 4, 5]).map((picture) =>
      picture.counter === 3 ? { ...picture, ptsMs: picture.ptsMs + 33 } : picture,
    );
    assert.equal(judge(decoded, []).worstClockErrorMs, 33);
  });
});
