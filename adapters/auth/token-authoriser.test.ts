import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { base64url, CompactSign } from 'jose';
import { type ErrorName, MillraceError, type StreamName } from '../../core/protocol/index.ts';
import { newSigner, type Signer, sign } from './harness/signers.ts';
import { matchingKeys, readKeySet } from './key-set.ts';
import { TokenAuthoriser } from './token-authoriser.ts';
import { ALGORITHMS, type KeySource } from './verification-key.ts';

const signers = ALGORITHMS.map((algorithm) => newSigner(algorithm));
const [secret, rsa, ec, ed] = signers as [Signer, Signer, Signer, Signer];

function keysOf(...contents: readonly string[]): KeySource {
  const keys = contents.flatMap((content) => readKeySet(Buffer.from(content)).keys);
  return { keysFor: async (algorithm, id) => matchingKeys(keys, algorithm, id), close: () => undefined };
}

function authoriser(...contents: readonly string[]): TokenAuthoriser {
  return new TokenAuthoriser(keysOf(...contents), { expiryRequired: true }, Date.now);
}

async function refused(
  checked: TokenAuthoriser,
  token: string | undefined,
  name: ErrorName,
  message: RegExp,
) {
  await assert.rejects(checked.identify(token), (error) => {
    assert.ok(error instanceof MillraceError);
    assert.equal(error.errorName, name);
    assert.match(error.message, message);
    return true;
  });
}

const UNTRUSTED = /not signed by a key that this server trusts/;
const encoded = (value: unknown) =>
  base64url.encode(typeof value === 'string' ? value : JSON.stringify(value));
const CLAIMS = encoded({ sub: 'alice', exp: 9_999_999_999, millrace: { admin: true } });

for (const signer of signers) {
  describe(`A token signed with ${signer.algorithm}`, () => {
    test('is taken, with what it allows', async () => {
      const token = await sign(signer, { millrace: { play: ['room-*'] } });
      const identity = await authoriser(signer.content).identify(token);
      assert.equal(identity.subject, 'alice');
      assert.equal(identity.may('play', 'room-1' as StreamName), true);
      assert.equal(identity.may('publish', 'room-1' as StreamName), false);
    });

    test('is taken by a JWK, and by one key among several', async () => {
      const token = await sign(signer);
      const others = signers.map(({ algorithm }) => newSigner(algorithm).content);
      assert.ok(await authoriser(JSON.stringify(signer.jwk)).identify(token));
      assert.ok(await authoriser(...others, signer.content).identify(token));
    });

    test('is refused by another key of its kind, and by every key of another kind', async () => {
      const token = await sign(signer);
      for (const { algorithm, content } of signers) {
        const other = algorithm === signer.algorithm ? newSigner(algorithm).content : content;
        await refused(authoriser(other), token, 'token_invalid', UNTRUSTED);
      }
    });

    test('is refused with any part changed', async () => {
      const token = await sign(signer);
      const [header = '', claims = '', signature = ''] = token.split('.');
      const flip = (part: string, index: number) =>
        part.slice(0, index) + (part[index] === 'A' ? 'B' : 'A') + part.slice(index + 1);
      const checked = authoriser(signer.content);
      const middle = Math.floor(signature.length / 2);
      for (const changed of [
        `${header}.${CLAIMS}.${signature}`,
        `${header}.${claims}.${flip(signature, 0)}`,
        `${header}.${claims}.${flip(signature, middle)}`,
        `${header}.${claims}.${signature.slice(0, -4)}`,
        `${header}.${claims}.`,
        `${encoded({ alg: signer.algorithm, x: 1 })}.${claims}.${signature}`,
      ]) {
        await refused(checked, changed, 'token_invalid', UNTRUSTED);
      }
    });

    test('is refused when its header names another algorithm', async () => {
      const [, claims, signature] = (await sign(signer)).split('.');
      for (const alg of ALGORITHMS.filter((algorithm) => algorithm !== signer.algorithm)) {
        const token = `${encoded({ alg })}.${claims}.${signature}`;
        await refused(authoriser(signer.content), token, 'token_invalid', UNTRUSTED);
      }
      for (const alg of [
        'none',
        'None',
        'NONE',
        '',
        'hs256',
        'HS512',
        'PS256',
        'RS1',
        'ES256K',
        null,
        1,
        {},
      ]) {
        const token = `${encoded({ alg })}.${claims}.${signature}`;
        await refused(authoriser(signer.content), token, 'token_invalid', /must be signed with one of HS256/);
      }
    });
  });
}

test('an unsigned token is refused, with and without a signature', async () => {
  const header = encoded({ alg: 'none', typ: 'JWT' });
  for (const token of [`${header}.${CLAIMS}.`, `${header}.${CLAIMS}`, `${header}.${CLAIMS}.AAAA`]) {
    for (const { content } of signers) {
      await refused(
        authoriser(content),
        token,
        'token_invalid',
        /must be signed with one of|not a JSON Web Token/,
      );
    }
  }
});

test('a public key is no secret: a token signed with its text, in any form, is refused', async () => {
  for (const { content, jwk } of [rsa, ec, ed]) {
    const der = Buffer.from(content.replace(/-----.*-----|\s/g, ''), 'base64');
    const bodies = [content, content.trim(), content.replaceAll('\n', '\r\n'), JSON.stringify(jwk), der];
    for (const body of bodies) {
      const input = `${encoded({ alg: 'HS256' })}.${CLAIMS}`;
      const token = `${input}.${createHmac('sha256', body).update(input).digest('base64url')}`;
      await refused(authoriser(content), token, 'token_invalid', UNTRUSTED);
      await refused(
        authoriser(JSON.stringify({ keys: [jwk, secret.jwk] })),
        token,
        'token_invalid',
        UNTRUSTED,
      );
    }
  }
});

test('a key that the token brings along is not used', async () => {
  const attacker = newSigner('EdDSA');
  for (const header of [
    { jwk: attacker.jwk },
    { jku: 'https://attacker.example/keys' },
    { x5u: 'https://attacker.example' },
  ]) {
    const token = await sign(attacker, {}, header);
    await refused(authoriser(ed.content), token, 'token_invalid', UNTRUSTED);
  }
});

test('the key id chooses among keys that have one', async () => {
  const [one, two] = [newSigner('ES256', 'one'), newSigner('ES256', 'two')];
  const checked = authoriser(JSON.stringify({ keys: [one.jwk, two.jwk] }));
  assert.ok(await checked.identify(await sign(one)));
  assert.ok(await checked.identify(await sign(two)));
  // Without an id all are tried; with that of another key only that one is.
  assert.ok(await checked.identify(await sign(two, {}, { kid: undefined })));
  await refused(checked, await sign(two, {}, { kid: 'one' }), 'token_invalid', UNTRUSTED);
  await refused(checked, await sign(two, {}, { kid: '../../etc/passwd' }), 'token_invalid', UNTRUSTED);
  await refused(checked, await sign(two, {}, { kid: 7 }), 'token_invalid', /"kid" .* not a string/);
});

describe('What is no token is refused:', () => {
  const cases: readonly (readonly [what: string, token: string | undefined, message: RegExp])[] = [
    ['none at all', undefined, /there is no token/],
    ['an empty one', '', /there is no token/],
    ['a word', 'letmein', /not a JSON Web Token/],
    ['two dots', '..', /not a JSON Web Token/],
    ['a header that is no JSON', `${encoded('{')}.${CLAIMS}.AAAA`, /not a JSON Web Token/],
    ['a header that is a list', `${encoded([])}.${CLAIMS}.AAAA`, /not a JSON Web Token|must be signed/],
    ['four parts', `${encoded({ alg: 'HS256' })}.${CLAIMS}.AAAA.AAAA`, /not a JSON Web Token|trusts/],
    ['an encrypted one', `${encoded({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`, /must be signed with/],
    ['a huge one', `${encoded({ alg: 'HS256' })}.${'A'.repeat(16_384)}.AAAA`, /at most 16384 are allowed/],
    ['one with extensions', `${encoded({ alg: 'HS256', crit: ['b64'], b64: false })}.a.AAAA`, /"crit"/],
    ['control characters', '\0\n.\u{1F3A5}.é', /not a JSON Web Token/],
  ];
  for (const [what, token, message] of cases) {
    test(what, () => refused(authoriser(secret.content), token, 'token_invalid', message));
  }
});

test('claims are looked at after the signature only: a forged token learns nothing of them', async () => {
  const forger = newSigner('HS256');
  for (const claims of [{ exp: 1 }, { nbf: 9_999_999_999 }, { sub: '' }, { millrace: 'all' }]) {
    await refused(authoriser(secret.content), await sign(forger, claims), 'token_invalid', UNTRUSTED);
  }
  await refused(authoriser(secret.content), await sign(secret, { exp: 1 }), 'token_expired', /get a new one/);
  await refused(
    authoriser(secret.content),
    await sign(secret, { millrace: 'all' }),
    'token_invalid',
    /"millrace"/,
  );
});

test('signed claims that are no JSON are refused', async () => {
  for (const bytes of [Buffer.from('{'), Buffer.from([0xff, 0xfe]), Buffer.alloc(0)]) {
    const token = await new CompactSign(bytes).setProtectedHeader({ alg: 'HS256' }).sign(secret.privateKey);
    await refused(authoriser(secret.content), token, 'token_invalid', /claims are not JSON/);
  }
});

test('issuer, audience and the time are those of the rules', async () => {
  const rules = { expiryRequired: false, issuer: 'https://issuer.example', audience: 'millrace' };
  let nowMs = 1000_000;
  const checked = new TokenAuthoriser(keysOf(secret.content), rules, () => nowMs);
  const claims = { iss: rules.issuer, aud: ['x', rules.audience], exp: 1010 };
  const token = await sign(secret, claims);
  assert.equal((await checked.identify(token)).expiresAtMs, 1010_000);
  nowMs = 1010_000;
  await refused(checked, token, 'token_expired', /get a new one/);
  await refused(checked, await sign(secret, { ...claims, iss: 'x' }), 'token_expired', /./);
  await refused(checked, await sign(secret, { ...claims, exp: 2000, aud: 'x' }), 'token_invalid', /"aud"/);
});
