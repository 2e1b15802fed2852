import { createSecretKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { type JWTPayload, SignJWT } from 'jose';
import { pino } from 'pino';
import type { Algorithm } from '../verification-key.ts';

/** Who makes tokens in tests: the private half, and the public one as servers get it. */
export interface Signer {
  readonly algorithm: Algorithm;
  readonly privateKey: KeyObject;
  /** PEM of the public key; the secret itself for HS256. */
  readonly content: string;
  readonly jwk: Record<string, unknown>;
}

export function newSigner(algorithm: Algorithm, id?: string): Signer {
  const kid = id === undefined ? {} : { kid: id };
  if (algorithm === 'HS256') {
    const content = randomBytes(32).toString('base64');
    const privateKey = createSecretKey(Buffer.from(content));
    return { algorithm, privateKey, content, jwk: { ...privateKey.export({ format: 'jwk' }), ...kid } };
  }
  const { publicKey, privateKey } = generate(algorithm);
  return {
    algorithm,
    privateKey,
    content: publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    jwk: { ...publicKey.export({ format: 'jwk' }), ...kid },
  };
}

function generate(algorithm: Exclude<Algorithm, 'HS256'>) {
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return generateKeyPairSync('ed25519');
}

export function sign(
  { algorithm, privateKey, jwk }: Signer,
  claims: JWTPayload = {},
  header: Record<string, unknown> = {},
): Promise<string> {
  const kid = typeof jwk.kid === 'string' ? { kid: jwk.kid } : {};
  return new SignJWT({ sub: 'alice', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
    .setProtectedHeader({ alg: algorithm, ...kid, ...header })
    .sign(privateKey);
}

/** What is logged, oldest first. */
export function recordingLog() {
  const records: Record<string, unknown>[] = [];
  return {
    records,
    log: pino({ level: 'debug' }, { write: (line: string) => records.push(JSON.parse(line)) }),
  };
}
