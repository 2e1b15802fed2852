import { readFileSync } from 'node:fs';
import { type KeySet, readKeySet } from '../adapters/auth/key-set.ts';
import { signToken } from '../adapters/auth/sign-token.ts';
import { secretKey, UnusableKey } from '../adapters/auth/verification-key.ts';
import { type GrantsClaim, identityOf } from '../core/auth/index.ts';
import { MillraceError } from '../core/protocol/index.ts';
import type { TokenFlag } from './arguments.ts';
import type { Settings } from './settings.ts';
import { StartError } from './start-error.ts';
import { duration } from './value.ts';

export interface MadeToken {
  readonly token: string;
  /** What it says, for the one who made it. */
  readonly summary: string;
}

type Flags = ReadonlyMap<TokenFlag, readonly string[]>;

const DEFAULT_TTL = '1h';
const TTL = duration({ min: '1s', max: '87600h' });

/**
 * `millrace token`: a token for trying out, which the server with the same settings takes.
 * @param nowMs Unix time
 * @throws StartError naming what is missing or wrong
 */
export async function makeToken(flags: Flags, settings: Settings, nowMs: number): Promise<MadeToken> {
  const keys = signingKeys(settings);
  const [subject] = flags.get('--subject') ?? [];
  if (subject === undefined)
    throw failure('--subject is missing: whom is it for? For example --subject alice');
  const grants = grantsOf(flags);
  if (Object.keys(grants).length === 0) {
    throw failure(
      "it would allow nothing. Give --publish, --play, --record or --admin a pattern, such as 'room-*'",
    );
  }
  const [ttl = DEFAULT_TTL] = flags.get('--ttl') ?? [];
  const parsed = TTL.parse(ttl);
  if ('wrong' in parsed) throw failure(`--ttl ${ttl} is ${parsed.wrong}`);
  // Whole seconds, as in the claim.
  const expiresAtMs = Math.floor((nowMs + parsed.value) / 1000) * 1000;
  const { authIssuer: issuer, authAudience: audience } = settings;
  demandTaken({ sub: subject, exp: expiresAtMs / 1000, millrace: grants }, nowMs);
  const token = await signToken(keys, {
    subject,
    grants,
    expiresAtMs,
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  });
  if (token === undefined) {
    throw failure('MILLRACE_AUTH_KEY_FILE has public keys only: whoever has the private one makes tokens');
  }
  const until = new Date(expiresAtMs).toISOString();
  return { token, summary: `for ${JSON.stringify(subject)} until ${until}: ${JSON.stringify(grants)}` };
}

function signingKeys({ auth, authKey, authKeyFile, authJwksUrl }: Settings): Pick<KeySet, 'keys'> {
  if (authKey !== undefined) return { keys: [secretKey(Buffer.from(authKey))] };
  if (authKeyFile !== undefined) {
    try {
      return readKeySet(readFileSync(authKeyFile));
    } catch (error) {
      if (!(error instanceof UnusableKey)) throw error;
      throw failure(`MILLRACE_AUTH_KEY_FILE=${authKeyFile} is of no use: ${error.message}`);
    }
  }
  if (authJwksUrl !== undefined) {
    throw failure('tokens come from the provider that MILLRACE_AUTH_JWKS_URL names');
  }
  throw failure(
    `${auth === 'off' ? 'authorisation is off, so none is needed' : 'there is no key to sign it with'}. Set the server's key here and there:`,
    '  export MILLRACE_AUTH_KEY="$(openssl rand -base64 32)"',
  );
}

function grantsOf(flags: Flags): GrantsClaim {
  const grants: GrantsClaim = {};
  for (const permission of ['publish', 'play', 'record', 'admin'] as const) {
    const patterns = flags.get(`--${permission}`);
    if (patterns === undefined) continue;
    if (permission === 'admin') grants.admin = patterns.includes('true') ? true : [...patterns];
    else grants[permission] = [...patterns];
  }
  return grants;
}

/** What the server would refuse, it had better not be given. */
function demandTaken(claims: object, nowMs: number): void {
  try {
    identityOf(claims, { expiryRequired: true }, nowMs);
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    throw failure(error.message.replace(/; (get another token|ask whoever .*)$/, ''));
  }
}

function failure(...lines: readonly string[]): StartError {
  const [first, ...rest] = lines;
  return new StartError(`No token was made: ${first}`, ...rest);
}
