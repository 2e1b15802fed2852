import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MillraceError } from '../protocol/error.ts';
import { parseStreamName } from '../protocol/stream-name.ts';
import { checkObjectKey } from '../storage/object-key.ts';
import { defaultFileName, displaced, parseFileName, rolledOver } from './file-name.ts';

const AT_MS = Date.UTC(2020, 10, 23, 23, 15, 23, 999);

describe('A file name', () => {
  for (const name of [
    'a.webm',
    '123456-20201123-231523.webm',
    'live/2026/é 街头.webm',
    'a..b.webm',
    'A.WEBM',
  ]) {
    test(`${name} is kept as it is`, () => assert.equal(parseFileName(name), name));
  }

  for (const name of ['a', 'a.mp4', 'a.webm.', 'a/b', 'webm']) {
    test(`${name} gets .webm appended`, () => assert.equal(parseFileName(name), `${name}.webm`));
  }

  const long = 'a'.repeat(193);
  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /empty/],
    ['/a.webm', /absolute/],
    ['a//b.webm', /empty/],
    ['a/', /dot/],
    ['../a.webm', /dot/],
    ['a/../b.webm', /dot/],
    ['.', /dot/],
    ['a/./b.webm', /dot/],
    ['.hidden.webm', /dot/],
    ['.webm', /dot/],
    ['.millrace/x.webm', /dot/],
    ['a\\b.webm', /backslash/],
    ['..\\a.webm', /backslash/],
    ['a\0.webm', /control/],
    ['a\nb.webm', /control/],
    ['a\u2028b.webm', /control/],
    ['a\ud800.webm', /Unicode/],
    [' a.webm', /space/],
    ['a /b.webm', /space/],
    [`${long}xyz.webm`, /200 bytes/],
    [`${`${long}/`.repeat(3)}a.webm`, /512 bytes/],
  ];
  for (const [name, why] of refused) {
    test(`${JSON.stringify(name.slice(0, 30))} is refused`, () => {
      assert.throws(
        () => parseFileName(name),
        (error) =>
          error instanceof MillraceError && error.errorName === 'name_refused' && why.test(error.message),
      );
    });
  }

  test('that is accepted is a key that every storage takes, also rolled over and displaced', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        let key: ReturnType<typeof parseFileName>;
        try {
          key = parseFileName(text);
        } catch (error) {
          assert.ok(error instanceof MillraceError && error.errorName === 'name_refused');
          return;
        }
        checkObjectKey(key);
        checkObjectKey(`${displaced(rolledOver(key, 1000), 2 ** 40)}.json`);
        assert.equal(parseFileName(key), key);
      }),
    );
  });
});

describe('A default file name', () => {
  test('is the stream and the time', () => {
    assert.equal(defaultFileName(parseStreamName('123456'), AT_MS), '123456-20201123-231523.webm');
  });

  test('of a stream that no file can be called after has its hash', () => {
    const hash = createHash('sha256').update('街头 1').digest('hex').slice(0, 8);
    assert.equal(defaultFileName(parseStreamName('街头 1'), AT_MS), `1-${hash}-20201123-231523.webm`);
  });

  test('is accepted whatever the stream is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }), (text) => {
        let stream: ReturnType<typeof parseStreamName>;
        try {
          stream = parseStreamName(text);
        } catch {
          return;
        }
        const key = defaultFileName(stream, AT_MS);
        assert.equal(parseFileName(key), key);
        assert.ok(!key.includes('/'));
      }),
    );
  });
});

test('Files after the first are counted, the first keeps its name', () => {
  const key = parseFileName('live/a.webm');
  assert.deepEqual(
    [1, 2, 10].map((n) => rolledOver(key, n)),
    ['live/a.webm', 'live/a-2.webm', 'live/a-10.webm'],
  );
});

test('A displaced file is told apart by its epoch', () => {
  assert.equal(displaced(parseFileName('live/a.webm'), 65536), 'live/a.65536.webm');
});
