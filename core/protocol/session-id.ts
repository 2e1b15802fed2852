import { createHash } from 'node:crypto';
import { MillraceError } from './error.ts';

/** A session's id: 128 random bits in base64url, 22 characters. Whoever knows it may take the session over. */
export type SessionId = string & { readonly brand: unique symbol };

const PATTERN = /^[A-Za-z0-9_-]{22}$/;

/** @param randomBytes a source of cryptographically strong random bytes */
export function newSessionId(randomBytes: (count: number) => Uint8Array): SessionId {
  return Buffer.from(randomBytes(16)).toString('base64url') as SessionId;
}

/** @throws MillraceError `unknown_session` for what no server of this kind ever gave out */
export function parseSessionId(value: string): SessionId {
  if (!PATTERN.test(value)) {
    throw new MillraceError(
      'unknown_session',
      `"session" is a string of ${value.length} characters that is no session's id; send "" to start a new session`,
    );
  }
  return value as SessionId;
}

/**
 * How a session is shown to people and in /api/v1: the first 16 hexadecimal digits of its id's SHA-256, from
 * which nobody gets back to the id.
 */
export type PublicSessionId = string & { readonly brand: unique symbol };

export function publicSessionId(id: SessionId): PublicSessionId {
  return createHash('sha256').update(id).digest('hex').slice(0, 16) as PublicSessionId;
}
