import { createPublicKey, X509Certificate } from 'node:crypto';
import {
  type Algorithm,
  keyOfJwk,
  publicKey,
  secretKey,
  UnusableKey,
  type VerificationKey,
} from './verification-key.ts';

/** Each token without `kid` may be tried with all of them. */
const MAX_KEYS = 32;
export const MAX_KEY_SET_BYTES = 256 * 1024;

/** Keys that were read together. */
export interface KeySet {
  /** At least one. */
  readonly keys: readonly VerificationKey[];
  /** Why others of the same set were passed over. */
  readonly passedOver: readonly string[];
}

/**
 * Keys from a file: a secret; public keys or certificates as PEM (RFC 7468); a JWK or a JWKS (RFC 7517).
 * @throws UnusableKey when there is none in it that can be used
 */
export function readKeySet(content: Uint8Array): KeySet {
  if (content.length > MAX_KEY_SET_BYTES) {
    throw new UnusableKey(`more than ${MAX_KEY_SET_BYTES} bytes, which is no file of keys`);
  }
  const text = Buffer.from(content).toString('latin1').trim();
  if (text.includes('-----BEGIN')) return pemKeys(text);
  if (text.startsWith('{')) return jsonKeys(Buffer.from(content).toString());
  if (isBinaryPublicKey(content)) {
    throw new UnusableKey('a key in binary form (DER); write it as PEM: openssl pkey -pubin -inform DER');
  }
  return { keys: [secretKey(withoutLineEnd(content))], passedOver: [] };
}

/**
 * Of a JWK Set, as providers publish them. Secrets in it are no secrets and are passed over.
 * @throws UnusableKey
 */
export function readPublishedKeys(text: string): KeySet {
  const { keys, passedOver } = jsonKeys(text);
  const published = keys.filter(({ algorithm }) => algorithm !== 'HS256');
  if (published.length === keys.length) return { keys, passedOver };
  const reasons = [...passedOver, 'a secret, which must not be published'];
  if (published.length === 0) throw noneUsable(reasons);
  return { keys: published, passedOver: reasons };
}

/** The keys of a set that a token's header leads to. Keys without an id may be meant by any. */
export function matchingKeys(
  keys: readonly VerificationKey[],
  algorithm: Algorithm,
  id: string | undefined,
): readonly VerificationKey[] {
  return keys.filter(
    (key) => key.algorithm === algorithm && (id === undefined || key.id === undefined || key.id === id),
  );
}

function pemKeys(text: string): KeySet {
  const blocks = text.match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g) ?? [];
  return collect(blocks, (block) => {
    if (/^-----BEGIN [A-Z ]*PRIVATE KEY/.test(block)) {
      throw new UnusableKey('a private key; give the public one: openssl pkey -pubout');
    }
    try {
      return publicKey(createPublicKey(block));
    } catch (error) {
      if (error instanceof UnusableKey) throw error;
      throw new UnusableKey('a PEM block that is no public key and no certificate', { cause: error });
    }
  });
}

function jsonKeys(text: string): KeySet {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UnusableKey('not JSON, though it begins like it', { cause });
  }
  const keys = typeof json === 'object' && json !== null && 'keys' in json ? json.keys : [json];
  if (!Array.isArray(keys)) throw new UnusableKey('its "keys" are not a list');
  return collect(keys, keyOfJwk);
}

function collect<Item>(items: readonly Item[], read: (item: Item) => VerificationKey): KeySet {
  const keys: VerificationKey[] = [];
  const passedOver: string[] = [];
  for (const item of items) {
    if (keys.length === MAX_KEYS) throw new UnusableKey(`more than ${MAX_KEYS} keys`);
    try {
      keys.push(read(item));
    } catch (error) {
      if (!(error instanceof UnusableKey)) throw error;
      passedOver.push(error.message);
    }
  }
  if (keys.length === 0) throw noneUsable(passedOver);
  return { keys, passedOver };
}

function noneUsable(reasons: readonly string[]): UnusableKey {
  const shown = [...new Set(reasons)].slice(0, 5);
  return new UnusableKey(
    shown.length === 0 ? 'no key in it' : `no key in it that can be used: ${shown.join('; ')}`,
  );
}

/** One that would else be taken for a secret, and everybody knows it. */
function isBinaryPublicKey(content: Uint8Array): boolean {
  const der = Buffer.from(content);
  const forms = [
    () => createPublicKey({ key: der, format: 'der', type: 'spki' }),
    () => createPublicKey({ key: der, format: 'der', type: 'pkcs1' }),
    () => new X509Certificate(der),
  ];
  return forms.some((read) => {
    try {
      return Boolean(read());
    } catch {
      return false;
    }
  });
}

/** Editors end a file's last line; whoever wrote the secret did not. */
function withoutLineEnd(content: Uint8Array): Uint8Array {
  let end = content.length;
  if (content[end - 1] === 0x0a) end -= 1;
  if (end < content.length && content[end - 1] === 0x0d) end -= 1;
  return content.subarray(0, end);
}
