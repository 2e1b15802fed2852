import { SignJWT } from 'jose';
import type { GrantsClaim } from '../../core/auth/index.ts';
import type { KeySet } from './key-set.ts';

export interface NewToken {
  readonly subject: string;
  readonly grants: GrantsClaim;
  /** Unix time. */
  readonly expiresAtMs: number;
  readonly issuer?: string;
  readonly audience?: string;
}

/**
 * A token signed by the first secret among the keys.
 * @returns undefined when there is none: public keys sign nothing
 */
export async function signToken(
  { keys }: Pick<KeySet, 'keys'>,
  token: NewToken,
): Promise<string | undefined> {
  const secret = keys.find(({ algorithm }) => algorithm === 'HS256');
  if (secret === undefined) return undefined;
  const { subject, grants, expiresAtMs, issuer, audience } = token;
  const claims = new SignJWT({ millrace: grants })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...(secret.id !== undefined && { kid: secret.id }) })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(new Date(expiresAtMs));
  if (issuer !== undefined) claims.setIssuer(issuer);
  if (audience !== undefined) claims.setAudience(audience);
  return claims.sign(secret.key);
}
