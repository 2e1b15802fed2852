import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorName, MillraceError } from '../protocol/error.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import { type ClaimRules, identityOf } from './token-claims.ts';

const NOW_MS = 1_772_360_000_000;
const NOW_S = NOW_MS / 1000;
const RULES: ClaimRules = { expiryRequired: true };
const STRICT: ClaimRules = { expiryRequired: true, issuer: 'https://issuer.example', audience: 'millrace' };
const GOOD = { sub: 'alice', exp: NOW_S + 60 };
const FOR_STRICT = { ...GOOD, iss: 'https://issuer.example', aud: 'millrace' };

const TAKEN: readonly (readonly [what: string, claims: object, rules: ClaimRules])[] = [
  ['subject and expiry', GOOD, RULES],
  ['an expiry one millisecond ahead', { ...GOOD, exp: NOW_S + 0.001 }, RULES],
  ['a fraction of a second', { ...GOOD, exp: NOW_S + 1.5 }, RULES],
  ['no expiry where it is optional', { sub: 'alice' }, { expiryRequired: false }],
  ['"nbf" now', { ...GOOD, nbf: NOW_S }, RULES],
  ['"nbf" within the leeway', { ...GOOD, nbf: NOW_S + 10 }, RULES],
  ['the right issuer and audience', FOR_STRICT, STRICT],
  ['the right audience among others', { ...FOR_STRICT, aud: ['other', 'millrace'] }, STRICT],
  ['issuer and audience that nobody asked for', { ...GOOD, iss: 'x', aud: 'y' }, RULES],
  ['claims that are not known', { ...GOOD, iat: 'yesterday', scope: 'all' }, RULES],
  ['the longest subject', { ...GOOD, sub: 's'.repeat(256) }, RULES],
];

for (const [what, claims, rules] of TAKEN) {
  test(`a token with ${what} is taken`, () => {
    assert.ok(identityOf(claims, rules, NOW_MS));
  });
}

const REFUSED: readonly (readonly [
  what: string,
  claims: unknown,
  error: ErrorName,
  message: RegExp,
  rules?: ClaimRules,
])[] = [
  ['no object', ['alice'], 'token_invalid', /not a JSON object/],
  ['null', null, 'token_invalid', /not a JSON object/],
  ['no subject', { exp: NOW_S + 60 }, 'token_invalid', /no "sub" of 1 to 256 characters/],
  ['an empty subject', { ...GOOD, sub: '' }, 'token_invalid', /no "sub"/],
  ['a number as subject', { ...GOOD, sub: 7 }, 'token_invalid', /no "sub"/],
  ['a line break in the subject', { ...GOOD, sub: 'a\nb' }, 'token_invalid', /no "sub"/],
  ['half a character in the subject', { ...GOOD, sub: 'a\ud83c' }, 'token_invalid', /no "sub"/],
  ['a subject that is too long', { ...GOOD, sub: 's'.repeat(257) }, 'token_invalid', /no "sub"/],
  ['no expiry', { sub: 'alice' }, 'token_invalid', /no "exp"; tokens for this server have to expire/],
  [
    'an expiry now',
    { ...GOOD, exp: NOW_S },
    'token_expired',
    /expired at 2026-03-01T10:13:20\.000Z; get a new/,
  ],
  ['an expiry long ago', { ...GOOD, exp: 1 }, 'token_expired', /1970-01-01T00:00:01/],
  [
    'an expiry long ago where it is optional',
    { ...GOOD, exp: 1 },
    'token_expired',
    /1970/,
    { expiryRequired: false },
  ],
  ['an expiry as a string', { ...GOOD, exp: String(NOW_S + 60) }, 'token_invalid', /"exp" that is no number/],
  ['null as expiry', { ...GOOD, exp: null }, 'token_invalid', /"exp" that is no number/],
  ['an expiry beyond all dates', { ...GOOD, exp: 1e300 }, 'token_invalid', /"exp" that is no number/],
  ['"nbf" beyond the leeway', { ...GOOD, nbf: NOW_S + 10.001 }, 'token_invalid', /not valid before 2026/],
  ['"nbf" as a string', { ...GOOD, nbf: 'now' }, 'token_invalid', /"nbf" that is no number/],
  ['no issuer', { ...FOR_STRICT, iss: undefined }, 'token_invalid', /issuer \("iss"\)/, STRICT],
  ['another issuer', { ...FOR_STRICT, iss: 'https://issuer.example/' }, 'token_invalid', /"iss"/, STRICT],
  ['no audience', { ...FOR_STRICT, aud: undefined }, 'token_invalid', /"aud"/, STRICT],
  ['another audience', { ...FOR_STRICT, aud: ['other'] }, 'token_invalid', /"aud"/, STRICT],
  ['a nested audience', { ...FOR_STRICT, aud: [['millrace']] }, 'token_invalid', /"aud"/, STRICT],
  ['a mistake in what it allows', { ...GOOD, millrace: { play: '*' } }, 'token_invalid', /"millrace\.play"/],
];

for (const [what, claims, errorName, message, rules = RULES] of REFUSED) {
  test(`a token with ${what} is refused as ${errorName}`, () => {
    assert.throws(
      () => identityOf(claims, rules, NOW_MS),
      (error) => {
        assert.ok(error instanceof MillraceError);
        assert.equal(error.errorName, errorName);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test('what the server expects of issuer and audience is not told', () => {
  for (const claims of [
    { ...FOR_STRICT, iss: 'x' },
    { ...FOR_STRICT, aud: 'x' },
  ]) {
    assert.throws(
      () => identityOf(claims, STRICT, NOW_MS),
      (error) => error instanceof MillraceError && !/issuer\.example|millrace/.test(error.message),
    );
  }
});

test('an identity says who, until when, and what is allowed', () => {
  const claims = { ...GOOD, millrace: { publish: ['room-*'], admin: true } };
  const identity = identityOf(claims, RULES, NOW_MS);
  assert.equal(identity.subject, 'alice');
  assert.equal(identity.expiresAtMs, NOW_MS + 60_000);
  assert.equal(identity.may('publish', 'room-7' as StreamName), true);
  assert.equal(identity.may('play', 'room-7' as StreamName), false);
  assert.equal(identity.may('admin'), true);
  assert.equal(identityOf({ sub: 'alice' }, { expiryRequired: false }, NOW_MS).expiresAtMs, undefined);
});
