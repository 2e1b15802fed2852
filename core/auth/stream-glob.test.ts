import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StreamGlob } from './stream-glob.ts';

const CASES: readonly (readonly [pattern: string, fits: readonly string[], fitsNot: readonly string[]])[] = [
  ['news', ['news'], ['news-2', 'New', 'News', 'new', 'a news', '']],
  ['*', ['a', 'room/7', '*', '🎥'], []],
  ['room-*', ['room-', 'room-7', 'room-7/alice', 'room-*'], ['room', 'my-room-7', 'Room-7']],
  ['*/alice', ['room-7/alice', '/alice', 'a/b/alice'], ['alice', 'room-7/alice/', 'room-7/malice']],
  ['a*b*c', ['abc', 'aXbYc', 'abcbc', 'abbc'], ['ab', 'acb', 'abcd']],
  ['cam-??', ['cam-01', 'cam-🎥é'], ['cam-1', 'cam-001']],
  ['?', ['a', '🎥', '?'], ['ab']],
  ['*?', ['a', 'ab'], []],
  ['?*?', ['ab', 'abc'], ['a']],
  ['**', ['a', 'ab'], []],
  ['a**b', ['ab', 'axb'], ['a', 'b']],
  ['what\\?', ['what?'], ['whats', 'what\\?']],
  ['\\*', ['*'], ['a', '**']],
  ['a\\\\b', ['a\\b'], ['a\\\\b', 'ab']],
  ['\\a\\b', ['ab'], ['\\a\\b']],
  // Everything else is itself: no classes, alternatives, anchors.
  ['[ab]{c,d}.+(e|f)^$', ['[ab]{c,d}.+(e|f)^$'], ['ac.+e', 'a']],
  // Not normalised: é as one code point, and as e with an accent.
  ['caf\u00e9', ['caf\u00e9'], ['cafe\u0301', 'CAF\u00c9']],
  ['constructor', ['constructor'], ['toString', '__proto__']],
];

for (const [pattern, fits, fitsNot] of CASES) {
  test(`"${pattern}" fits what it should and nothing else`, () => {
    const glob = new StreamGlob(pattern);
    assert.deepEqual(
      fits.filter((name) => !glob.matches(name)),
      [],
    );
    assert.deepEqual(
      fitsNot.filter((name) => glob.matches(name)),
      [],
    );
  });
}

test('an empty pattern, one that is too long and one that ends in a backslash are refused', () => {
  for (const [pattern, why] of [
    ['', /empty/],
    ['a'.repeat(257), /257 characters; at most 256/],
    ['a\\', /ends in a backslash/],
    ['a\\\\\\', /ends in a backslash/],
  ] as const) {
    assert.throws(() => new StreamGlob(pattern), why);
  }
  assert.ok(new StreamGlob('a'.repeat(256)));
});

test('it decides as the regular expression does that says the same', () => {
  const character = fc.constantFrom('a', 'b', '*', '?', '\\', '🎥', '.');
  const text = fc.array(character, { minLength: 1, maxLength: 12 }).map((all) => all.join(''));
  fc.assert(
    fc.property(text, text, (pattern, name) => {
      const trailing = /\\*$/.exec(pattern)?.[0].length ?? 0;
      fc.pre(trailing % 2 === 0);
      const source = pattern.replace(/\\(.)|(\*)|(\?)|(.)/gsu, (_whole, literal, any, one, other) => {
        if (any) return '.*';
        if (one) return '.';
        return (literal ?? other).replace(/[\\.*?]/g, '\\$&');
      });
      assert.equal(new StreamGlob(pattern).matches(name), new RegExp(`^(?:${source})$`, 'su').test(name));
    }),
    { numRuns: 5000 },
  );
});

test('no pattern is slow: those that make backtracking explode take one pass over the name', () => {
  const name = 'a'.repeat(127);
  const patterns = ['*a'.repeat(60), '*a?'.repeat(40), '*'.repeat(256), `${'?*'.repeat(100)}b`].map(
    (pattern) => new StreamGlob(pattern),
  );
  const startedMs = performance.now();
  for (let round = 0; round < 100; round += 1) {
    for (const glob of patterns) glob.matches(`${name}b`);
  }
  // About 10 ms here. An exponential matcher would not end at all.
  assert.ok(performance.now() - startedMs < 2000);
});
