import { MillraceError } from '../protocol/error.ts';
import type { Identity } from './authoriser.ts';
import { Grants } from './grants.ts';
import type { Revocations } from './revocations.ts';

/** What a server asks of the claims of every token (RFC 7519 section 4.1). */
export interface ClaimRules {
  /** What `iss` must be; absent = anything. */
  readonly issuer?: string;
  /** What `aud` must be or contain; absent = anything. */
  readonly audience?: string;
  /** false also takes tokens without `exp`, which are good for ever. */
  readonly expiryRequired: boolean;
  /** Absent = no token is taken back before it expires. */
  readonly revocations?: Revocations;
}

/** A token made a moment ago may be from a clock that is ahead. */
const CLOCK_LEEWAY_MS = 10_000;
const MAX_SUBJECT_CHARACTERS = 256;
const LATEST_DATE_MS = 8.64e15;

/**
 * Who presents a token with these claims. Call it with claims whose signature was checked only: what it says
 * of them is for the one who made or presented the token.
 *
 * @param nowMs Unix time
 * @throws MillraceError `token_invalid`, `token_expired`, `token_revoked`
 */
export function identityOf(claims: unknown, rules: ClaimRules, nowMs: number): Identity {
  if (!isObject(claims)) throw invalid('are not a JSON object');
  const expiresAtMs = checkTimes(claims, rules, nowMs);
  if (rules.issuer !== undefined && claims.iss !== rules.issuer) {
    throw invalid('do not name the issuer ("iss") that this server trusts');
  }
  if (rules.audience !== undefined && ![claims.aud].flat().includes(rules.audience)) {
    throw invalid('do not name this server as audience ("aud")');
  }
  const grants = new Grants(claims.millrace);
  const subject = subjectOf(claims.sub);
  const id = tokenIdOf(claims.jti);
  const { revocations } = rules;
  if (revocations?.has(subject, id)) {
    throw new MillraceError('token_revoked', 'your token was taken back; ask for another one');
  }
  return {
    subject,
    ...(revocations !== undefined && { revoked: () => revocations.has(subject, id) }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
    may: (permission, stream) => grants.allow(permission, stream),
  };
}

function checkTimes({ exp, nbf }: Claims, { expiryRequired }: ClaimRules, nowMs: number): number | undefined {
  const expiresAtMs = dateOf('exp', exp);
  const notBeforeMs = dateOf('nbf', nbf);
  if (expiresAtMs === undefined) {
    if (expiryRequired) throw invalid('have no "exp"; tokens for this server have to expire');
  } else if (expiresAtMs <= nowMs) {
    throw new MillraceError('token_expired', `your token expired at ${isoTime(expiresAtMs)}; get a new one`);
  }
  if (notBeforeMs !== undefined && notBeforeMs > nowMs + CLOCK_LEEWAY_MS) {
    throw invalid(`are not valid before ${isoTime(notBeforeMs)} ("nbf"); wait, or set the clocks right`);
  }
  return expiresAtMs;
}

/** A NumericDate (RFC 7519 section 2), in ms. */
function dateOf(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const ms = typeof value === 'number' ? Math.floor(value * 1000) : Number.NaN;
  if (Math.abs(ms) <= LATEST_DATE_MS) return ms;
  throw invalid(`have a "${name}" that is no number of seconds since 1970`);
}

/** '' is the subject of everyone where authorisation is off. */
function subjectOf(sub: unknown): string {
  const good =
    typeof sub === 'string' &&
    sub !== '' &&
    sub.length <= MAX_SUBJECT_CHARACTERS &&
    !/[\p{Cc}\p{Cs}]/u.test(sub);
  if (good) return sub;
  throw invalid(`have no "sub" of 1 to ${MAX_SUBJECT_CHARACTERS} characters that says whom the token is for`);
}

/** Only a revocation asks for it. */
function tokenIdOf(jti: unknown): string | undefined {
  if (jti === undefined || typeof jti === 'string') return jti;
  throw invalid('have a "jti" that is no string');
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}

function invalid(what: string): MillraceError {
  return new MillraceError('token_invalid', `the token's claims ${what}; get another token`);
}

type Claims = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
