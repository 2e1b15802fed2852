import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from './error.ts';
import { parseStreamName } from './stream-name.ts';

const accepted = [
  'a',
  ' ',
  'room/1?x=%2F#..',
  '直播间 1',
  '__proto__',
  'x'.repeat(128),
  '\u{1F3A5}'.repeat(128),
  'e\u0301\u200d\u00a0',
];
for (const name of accepted) {
  test(`${JSON.stringify(name.slice(0, 20))} is a stream's name, kept as it is`, () => {
    assert.equal(parseStreamName(name), name);
  });
}

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['', 'missing_field', /"stream" is empty; name the stream/],
  ['x'.repeat(129), 'invalid_field', /"stream" has 129 characters; at most 128 are allowed/],
  ['\u{1F3A5}'.repeat(129), 'invalid_field', /"stream" has 129 characters/],
  ['a\u0000', 'invalid_field', /"stream" has U\+0000 as character 2; use no control/],
  ['\n', 'invalid_field', /U\+000A as character 1/],
  ['\u{1F3A5}\u007f', 'invalid_field', /U\+007F as character 2/],
  ['\u0085', 'invalid_field', /U\+0085/],
  ['\u2028', 'invalid_field', /U\+2028/],
  ['\ud800x', 'invalid_field', /U\+D800/],
];
for (const [name, errorName, words] of refused) {
  test(`${JSON.stringify(name.slice(0, 20))} of ${name.length} is refused`, () => {
    assert.throws(
      () => parseStreamName(name),
      (error) => error instanceof MillraceError && error.errorName === errorName && words.test(error.message),
    );
  });
}
