import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../protocol/error.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import type { Permission } from './authoriser.ts';
import { Grants } from './grants.ts';

const EVERY: readonly Permission[] = ['publish', 'play', 'record', 'admin'];

function allowed(claim: unknown, stream?: string): readonly Permission[] {
  const grants = new Grants(claim);
  return EVERY.filter((permission) => grants.allow(permission, stream as StreamName | undefined));
}

const CASES: readonly {
  readonly what: string;
  readonly claim: unknown;
  readonly stream?: string;
  readonly allowed: readonly Permission[];
}[] = [
  { what: 'a token without the claim', claim: undefined, stream: 'a', allowed: [] },
  { what: 'an empty claim', claim: {}, stream: 'a', allowed: [] },
  { what: 'empty lists', claim: { publish: [], admin: [] }, stream: 'a', allowed: [] },
  { what: 'publish', claim: { publish: ['a'] }, stream: 'a', allowed: ['publish'] },
  { what: 'publish of another stream', claim: { publish: ['b', 'c*'] }, stream: 'a', allowed: [] },
  { what: 'a later pattern of the list', claim: { play: ['b', 'c', '?'] }, stream: 'a', allowed: ['play'] },
  {
    what: 'several',
    claim: { publish: ['a'], play: ['*'], record: ['b'] },
    stream: 'a',
    allowed: ['publish', 'play'],
  },
  { what: 'admin of a stream', claim: { admin: ['a*'] }, stream: 'ab', allowed: ['admin'] },
  { what: 'admin of all streams, asked for the server', claim: { admin: ['*'] }, allowed: [] },
  { what: 'admin of the server, asked for the server', claim: { admin: true }, allowed: ['admin'] },
  {
    what: 'admin of the server, asked for a stream',
    claim: { admin: true },
    stream: 'a',
    allowed: ['admin'],
  },
  {
    what: 'everything on streams, asked for the server',
    claim: { publish: ['*'], play: ['*'] },
    allowed: [],
  },
];

for (const { what, claim, stream, allowed: expected } of CASES) {
  test(`${what} allows ${expected.join(' and ') || 'nothing'}`, () => {
    assert.deepEqual(allowed(claim, stream), expected);
  });
}

const REFUSED: readonly (readonly [what: string, claim: unknown, message: RegExp])[] = [
  ['a string', 'all', /"millrace" is not an object/],
  ['a list', ['*'], /"millrace" is not an object/],
  ['null in a list', { play: [null] }, /"millrace\.play\.0" is not a list/],
  ['a pattern without its list', { play: '*' }, /"millrace\.play" is not a list of at most 100 patterns/],
  ['true for anything but admin', { play: true }, /"millrace\.play" is not a list/],
  ['admin: false', { admin: false }, /"millrace\.admin" is not a list .* or true for the whole server/],
  ['too many patterns', { play: Array(101).fill('a') }, /"millrace\.play" is not a list of at most 100/],
  ['an empty pattern', { play: ['a', ''] }, /"millrace\.play\.1" is no pattern of stream names: it is empty/],
  ['a broken pattern', { admin: ['a\\'] }, /"millrace\.admin\.0" .* ends in a backslash/],
  ['a member that is not known', { plays: ['*'] }, /the member "plays", which this server does not know/],
  ['__proto__', JSON.parse('{"__proto__": {"play": ["*"]}}'), /the member "__proto__"/],
];

for (const [what, claim, message] of REFUSED) {
  test(`${what} is refused, and said where it stands`, () => {
    assert.throws(
      () => new Grants(claim),
      (error) =>
        error instanceof MillraceError && error.errorName === 'token_invalid' && message.test(error.message),
    );
  });
}

test('null as the claim allows nothing', () => {
  assert.deepEqual(allowed(null, 'a'), []);
});
