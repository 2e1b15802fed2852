import assert from 'node:assert/strict';
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { newSigner } from './harness/signers.ts';
import { readKeySet, readPublishedKeys } from './key-set.ts';
import { UnusableKey } from './verification-key.ts';

const rsa = newSigner('RS256', 'r');
const ec = newSigner('ES256', 'e');
const ed = newSigner('EdDSA', 'd');
const secret = newSigner('HS256', 's');
const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const json = (value: unknown) => JSON.stringify(value, null, 2);
const jwkOf = (key: { export(options: { format: 'jwk' }): object }) => key.export({ format: 'jwk' });
const pem = (key: { export(options: object): unknown }) =>
  String(key.export({ format: 'pem', type: 'spki' }));
const der = (key: { export(options: object): unknown }, type: string) =>
  key.export({ format: 'der', type }) as Buffer;

function read(content: string | Uint8Array): string {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return readKeySet(bytes)
    .keys.map(({ algorithm, id }) => `${algorithm}${id === undefined ? '' : ` ${id}`}`)
    .join(', ');
}

describe('A file of keys holds', () => {
  const cases: readonly (readonly [what: string, content: string | Uint8Array, keys: string])[] = [
    ['a secret', secret.content, 'HS256'],
    ['a secret of any bytes', Buffer.concat([Buffer.from([0, 255, 10]), randomBytes(40)]), 'HS256'],
    ['an RSA key as PEM', rsa.content, 'RS256'],
    [
      'an RSA key as PEM in the older form',
      String(newRsa().export({ format: 'pem', type: 'pkcs1' })),
      'RS256',
    ],
    ['a P-256 key as PEM', ec.content, 'ES256'],
    ['an Ed25519 key as PEM', `\n  ${ed.content}`, 'EdDSA'],
    ['several PEM blocks with words between', `one:\n${rsa.content}two:\r\n${ed.content}`, 'RS256, EdDSA'],
    ['a JWK', json(ec.jwk), 'ES256 e'],
    ['a JWK of a secret', json(secret.jwk), 'HS256 s'],
    ['a JWKS', json({ keys: [rsa.jwk, ec.jwk, ed.jwk] }), 'RS256 r, ES256 e, EdDSA d'],
    [
      'a JWKS with keys for other uses',
      json({
        keys: [
          { ...rsa.jwk, use: 'enc' },
          { ...ec.jwk, use: 'sig' },
        ],
      }),
      'ES256 e',
    ],
    [
      'a JWKS with other kinds of keys',
      json({ keys: [jwkOf(p384.publicKey), { kty: 'AKP' }, null, ed.jwk] }),
      'EdDSA d',
    ],
  ];
  for (const [what, content, keys] of cases) {
    test(what, () => assert.equal(read(content), keys));
  }
});

describe('A file of keys cannot be used that is', () => {
  const cases: readonly (readonly [what: string, content: string | Uint8Array, why: RegExp])[] = [
    ['empty', '', /a secret of 0 bytes; at least 32/],
    ['a short secret', 'x'.repeat(31), /a secret of 31 bytes/],
    ['a short secret made longer by its line end', `${'x'.repeat(31)}\r\n`, /a secret of 31 bytes/],
    ['a short secret as JWK', json(jwkOf(createSecretKey(Buffer.alloc(31)))), /a secret of 31 bytes/],
    ['a small RSA key', pem(small.publicKey), /an RSA key of 1024 bits; at least 2048/],
    ['a key on another curve', pem(p384.publicKey), /curve secp384r1; only P-256/],
    ['an X25519 key', pem(generateKeyPairSync('x25519').publicKey), /of the kind x25519/],
    [
      'a private key',
      String(rsa.privateKey.export({ format: 'pem', type: 'pkcs8' })),
      /a private key; give the public/,
    ],
    ['a private JWK', json(jwkOf(ed.privateKey)), /a private key; leave only its public part/],
    ['a JWK for encryption', json({ ...rsa.jwk, use: 'enc' }), /"use" is not "sig"/],
    ['a JWK for other operations', json({ ...rsa.jwk, key_ops: ['wrapKey'] }), /"key_ops"/],
    ['a JWK for another algorithm', json({ ...rsa.jwk, alg: 'PS256' }), /another algorithm than RS256/],
    [
      'a public JWK that says it is a secret',
      json({ ...rsa.jwk, alg: 'HS256' }),
      /another algorithm than RS256/,
    ],
    ['a JWK with a number as id', json({ ...rsa.jwk, kid: 7 }), /"kid" is not a string/],
    [
      'a broken JWK',
      json({ kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' }),
      /not a public key that can be read/,
    ],
    ['an empty JWKS', json({ keys: [] }), /no key in it/],
    ['a JWKS without a list', json({ keys: {} }), /"keys" are not a list/],
    ['half a JSON document', '{"keys": [', /not JSON, though it begins like it/],
    [
      'a certificate request',
      '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----',
      /PEM block that is no public/,
    ],
    ['half a PEM block', '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A', /no key in it/],
    ['too many keys', json({ keys: Array(33).fill(ed.jwk) }), /more than 32 keys/],
    ['too large', Buffer.alloc(256 * 1024 + 1), /more than 262144 bytes/],
  ];
  for (const [what, content, why] of cases) {
    test(what, () => {
      assert.throws(
        () => read(content),
        (error) => error instanceof UnusableKey && why.test(error.message),
      );
    });
  }
});

test('a public key in binary form is never taken for a secret', () => {
  for (const content of [der(newRsa(), 'spki'), der(newRsa(), 'pkcs1'), der(p384.publicKey, 'spki')]) {
    assert.throws(() => read(content), /in binary form \(DER\)/);
  }
});

test('secrets are passed over where keys are published', () => {
  const { keys, passedOver } = readPublishedKeys(json({ keys: [secret.jwk, ec.jwk] }));
  assert.deepEqual(
    keys.map(({ algorithm }) => algorithm),
    ['ES256'],
  );
  assert.deepEqual(passedOver, ['a secret, which must not be published']);
  assert.throws(() => readPublishedKeys(json({ keys: [secret.jwk] })), /must not be published/);
});

test('no message repeats anything of a key', () => {
  assert.throws(
    () => read('short but secret'),
    (error) => error instanceof Error && !error.message.includes('short'),
  );
});

function newRsa() {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
}
