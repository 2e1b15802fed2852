import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBitrate, formatDuration, formatMs, formatRatio, formatShortBitrate } from './format.ts';
import { playLink, readWish } from './share-link.ts';
import { line, niceTop, SAMPLES, stackedAreas } from './sparkline.ts';
import { randomStreamName } from './stream-name.ts';

test('Bitrates, shares and times are written short, in the unit that fits', () => {
  assert.deepEqual(
    [0, 999, 480_400, 999_600, 1_234_000, 12_340_000].map((value) => formatBitrate(value, 'en')),
    ['0 kbit/s', '1 kbit/s', '480 kbit/s', '1.00 Mbit/s', '1.23 Mbit/s', '12.3 Mbit/s'],
  );
  assert.deepEqual(
    [480_400, 1_234_000].map((value) => formatShortBitrate(value, 'en')),
    ['480 k', '1.2 M'],
  );
  assert.deepEqual(
    [0, 0.0012, 0.021, 0.5].map((value) => formatRatio(value, 'en')),
    ['0 %', '0.1 %', '2.1 %', '50 %'],
  );
  assert.deepEqual(
    [0.2, 3.14, 76].map((value) => formatMs(value, 'en')),
    ['< 1 ms', '3.1 ms', '76 ms'],
  );
  assert.deepEqual([-5, 42_000, 727_000, 11_527_000, 183_600_000].map(formatDuration), [
    '0:00',
    '0:42',
    '12:07',
    '3:12:07',
    '2 d 3 h',
  ]);
});

test('A graph grows from the right edge, and keeps within its box', () => {
  assert.equal(line([1, 2], 2), `M${(120 - 120 / (SAMPLES - 1)).toFixed(1)} 15.0L120.0 1.0`);
  assert.equal(line([1, null, 1], 1).match(/M/g)?.length, 2);
  assert.equal(line([99], 1), 'M120.0 1.0');
});

test('Stacked areas stand upon each other', () => {
  const [lower = '', upper = ''] = stackedAreas(
    [
      [1, 1],
      [1, 1],
    ],
    2,
  );
  assert.match(lower, /^M118\.0 15\.0L120\.0 15\.0L120\.0 29\.0L118\.0 29\.0Z$/);
  assert.match(upper, /^M118\.0 1\.0L120\.0 1\.0L120\.0 15\.0L118\.0 15\.0Z$/);
  assert.deepEqual(stackedAreas([[5]], 10), ['']);
});

test('The scale is the next round number, and never below its least', () => {
  assert.deepEqual(
    [0, 90_000, 120_000, 2_400_000, 3_000_000].map((value) => niceTop(value, 100_000)),
    [100_000, 100_000, 150_000, 3_000_000, 3_000_000],
  );
});

test('A link to a stream carries any name, and is read back', () => {
  const link = playLink('https://example.org:8443/?publish=x&source=pattern#live', 'a/b ?&=流');
  assert.deepEqual(readWish(new URL(link).search), { play: 'a/b ?&=流', publish: null, source: null });
  assert.deepEqual(readWish('?publish=x&source=pattern'), { play: null, publish: 'x', source: 'pattern' });
  assert.deepEqual(readWish('?play='), { play: null, publish: null, source: null });
});

test('A random name has two words and a number', () => {
  assert.equal(
    randomStreamName(() => 0),
    'amber-brook-10',
  );
  assert.match(randomStreamName(), /^[a-z]+-[a-z]+-\d\d$/);
});
