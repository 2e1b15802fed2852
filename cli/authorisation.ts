import type { Logger } from 'pino';
import { HookAuthoriser } from '../adapters/auth/hook-authoriser.ts';
import { JwksUrl } from '../adapters/auth/jwks-url.ts';
import { KeyFile } from '../adapters/auth/key-file.ts';
import { matchingKeys } from '../adapters/auth/key-set.ts';
import { RevocationFile } from '../adapters/auth/revocation-file.ts';
import { TokenAuthoriser } from '../adapters/auth/token-authoriser.ts';
import { type KeySource, secretKey, UnusableKey } from '../adapters/auth/verification-key.ts';
import { type Authoriser, type ClaimRules, openAuthoriser } from '../core/auth/index.ts';
import type { Settings } from './settings.ts';
import { StartError } from './start-error.ts';

export interface Authorisation {
  readonly authoriser: Authoriser;
  close(): void;
}

/** What clients are asked for; undefined = nothing, and only this machine gets in. */
export function authorisationOf({
  auth,
  authKey,
  authKeyFile,
  authJwksUrl,
  authUrl,
}: Settings): 'off' | 'tokens' | undefined {
  return auth ?? ((authKey ?? authKeyFile ?? authJwksUrl ?? authUrl) === undefined ? undefined : 'tokens');
}

/** @throws StartError when the keys cannot be used */
export function createAuthorisation(settings: Settings, log: Logger): Authorisation {
  // Without keys nobody else can reach the server: the settings allow other addresses only with MILLRACE_AUTH=off.
  if (authorisationOf(settings) !== 'tokens') return { authoriser: openAuthoriser, close: () => undefined };
  const revocations = revocationFile(settings.authRevokedFile, log);
  const { authIssuer: issuer, authAudience: audience, authExpiry } = settings;
  const rules = {
    expiryRequired: authExpiry === 'required',
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
    ...(revocations !== undefined && { revocations }),
  };
  const checked = hook(settings, rules, log) ?? signatures(settings, rules, log);
  return {
    authoriser: checked.authoriser,
    close: () => {
      checked.close();
      revocations?.close();
    },
  };
}

function hook(settings: Settings, rules: ClaimRules, log: Logger): Authorisation | undefined {
  const { authUrl: url, authUrlTimeout: timeoutMs, authUrlCache: cacheMs } = settings;
  if (url === undefined) return undefined;
  const clocks = { now: () => performance.now(), wallClock: Date.now };
  const authoriser = new HookAuthoriser({ url, timeoutMs, cacheMs, rules, log, ...clocks });
  return { authoriser, close: () => authoriser.close() };
}

function signatures(settings: Settings, rules: ClaimRules, log: Logger): Authorisation {
  const keys = keySource(settings, log);
  return { authoriser: new TokenAuthoriser(keys, rules, Date.now), close: () => keys.close() };
}

/** The checks made sure that there is one. */
function keySource(settings: Settings, log: Logger): KeySource {
  const { authKey, authKeyFile, authJwksUrl } = settings;
  if (authKey !== undefined) {
    const keys = [secretKey(Buffer.from(authKey))];
    return {
      keysFor: async (algorithm, id) => matchingKeys(keys, algorithm, id),
      close: () => undefined,
    };
  }
  if (authKeyFile !== undefined) return keyFile(authKeyFile, log);
  if (authJwksUrl === undefined) throw new Error('tokens are checked, and there is no key');
  return new JwksUrl({ url: authJwksUrl, log, now: () => performance.now() });
}

function revocationFile(path: string | undefined, log: Logger): RevocationFile | undefined {
  if (path === undefined) return undefined;
  try {
    return new RevocationFile({ path, log });
  } catch (error) {
    throw new StartError(
      'Millrace cannot start.',
      `MILLRACE_AUTH_REVOKED_FILE=${path} is of no use: ${error instanceof Error ? error.message : error}`,
    );
  }
}

function keyFile(path: string, log: Logger): KeySource {
  try {
    return new KeyFile({ path, log });
  } catch (error) {
    if (!(error instanceof UnusableKey)) throw error;
    throw new StartError(
      'Millrace cannot start.',
      `MILLRACE_AUTH_KEY_FILE=${path} is of no use: ${error.message}`,
    );
  }
}
