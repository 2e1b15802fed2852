import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** What tokens may be signed with (RFC 7518 section 3.1, RFC 8037). */
export const ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/**
 * A key with the one algorithm that its kind is for. It is the key that decides: what a token's header names is
 * only compared with it, so that no public key is ever used as a secret.
 */
export interface VerificationKey {
  readonly algorithm: Algorithm;
  /** What the `kid` of a token's header must be, if both have one (RFC 7517 section 4.5). */
  readonly id?: string;
  /** The bytes of a secret, or a public key. */
  readonly key: Uint8Array | KeyObject;
}

/** Where keys come from. */
export interface KeySource {
  /**
   * The keys that may have signed a token, by its header.
   * @throws MillraceError `authorisation_unavailable`
   */
  keysFor(algorithm: Algorithm, id: string | undefined): Promise<readonly VerificationKey[]>;
  close(): void;
}

/** RFC 7518 section 3.2: no shorter than the hash. */
export const MIN_SECRET_BYTES = 32;
/** RFC 7518 section 3.3. */
const MIN_RSA_BITS = 2048;

/** Why a key cannot be used, in words that fit behind its name. */
export class UnusableKey extends Error {}

/** @throws UnusableKey */
export function secretKey(secret: Uint8Array, id?: string): VerificationKey {
  if (secret.length < MIN_SECRET_BYTES) {
    throw new UnusableKey(
      `a secret of ${secret.length} bytes; at least ${MIN_SECRET_BYTES} random ones are needed: openssl rand -base64 32`,
    );
  }
  return { algorithm: 'HS256', key: secret, ...(id !== undefined && { id }) };
}

/** @throws UnusableKey */
export function publicKey(key: KeyObject, id?: string): VerificationKey {
  return { algorithm: algorithmOf(key), key, ...(id !== undefined && { id }) };
}

function algorithmOf(key: KeyObject): Algorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return 'EdDSA';
  if (type === 'ec') {
    if (details?.namedCurve === 'prime256v1') return 'ES256';
    throw new UnusableKey(`a key on the curve ${details?.namedCurve}; only P-256 is taken`);
  }
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0;
    if (bits >= MIN_RSA_BITS) return 'RS256';
    throw new UnusableKey(`an RSA key of ${bits} bits; at least ${MIN_RSA_BITS} are needed`);
  }
  throw new UnusableKey(`a key of the kind ${type}; RSA, P-256 and Ed25519 are taken`);
}

/**
 * A JSON Web Key (RFC 7517, RFC 7518 section 6).
 * @throws UnusableKey also for private keys, and for keys that are meant for something else
 */
export function keyOfJwk(jwk: unknown): VerificationKey {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk))
    throw new UnusableKey('not a JSON object');
  // Each member is looked at before it is used.
  const { kty, use, key_ops: operations, alg, kid, k, d } = jwk as Readonly<Record<string, unknown>>;
  if (kid !== undefined && typeof kid !== 'string') throw new UnusableKey('its "kid" is not a string');
  if (use !== undefined && use !== 'sig') throw new UnusableKey('its "use" is not "sig"');
  if (Array.isArray(operations) && !operations.includes('verify')) {
    throw new UnusableKey('its "key_ops" do not include "verify"');
  }
  const key = kty === 'oct' ? secretOfJwk(k, kid) : publicKeyOfJwk(jwk as JsonWebKey, d, kid);
  if (alg !== undefined && alg !== key.algorithm) {
    throw new UnusableKey(
      `it is for another algorithm than ${key.algorithm}, which its kind of key is taken for`,
    );
  }
  return key;
}

function secretOfJwk(k: unknown, id: string | undefined): VerificationKey {
  if (typeof k !== 'string' || !/^[\w-]+$/.test(k)) throw new UnusableKey('its "k" is not base64url');
  return secretKey(Buffer.from(k, 'base64url'), id);
}

function publicKeyOfJwk(jwk: JsonWebKey, d: unknown, id: string | undefined): VerificationKey {
  if (d !== undefined) throw new UnusableKey('a private key; leave only its public part');
  try {
    return publicKey(createPublicKey({ key: jwk, format: 'jwk' }), id);
  } catch (error) {
    if (error instanceof UnusableKey) throw error;
    throw new UnusableKey('not a public key that can be read', { cause: error });
  }
}
