import { compactVerify, decodeProtectedHeader, errors } from 'jose';
import { type Authoriser, type ClaimRules, type Identity, identityOf } from '../../core/auth/index.ts';
import { MillraceError } from '../../core/protocol/index.ts';
import { ALGORITHMS, type Algorithm, type KeySource, type VerificationKey } from './verification-key.ts';

/** As in the message's field `token`. */
const MAX_TOKEN_CHARACTERS = 16_384;

/** Checks signed tokens: JWT (RFC 7519) as compact JWS (RFC 7515), by the advice of RFC 8725. */
export class TokenAuthoriser implements Authoriser {
  readonly #keys: KeySource;
  readonly #rules: ClaimRules;
  readonly #wallClock: () => number;

  /** @param wallClock Unix time in ms */
  constructor(keys: KeySource, rules: ClaimRules, wallClock: () => number) {
    this.#keys = keys;
    this.#rules = rules;
    this.#wallClock = wallClock;
  }

  async identify(token: string | undefined): Promise<Identity> {
    if (token === undefined || token === '') {
      throw invalid(
        'there is no token, and this server asks for one; show it as "token" or as Authorization: Bearer',
      );
    }
    if (token.length > MAX_TOKEN_CHARACTERS) {
      throw invalid(`the token has ${token.length} characters; at most ${MAX_TOKEN_CHARACTERS} are allowed`);
    }
    const { algorithm, id } = readHeader(token);
    for (const key of await this.#keys.keysFor(algorithm, id)) {
      const payload = await verify(token, key);
      if (payload !== undefined) return identityOf(readClaims(payload), this.#rules, this.#wallClock());
    }
    // The same for every key that is missing and every signature that is wrong: no key can be guessed at.
    throw invalid(
      'the token is not signed by a key that this server trusts; get a token made for this server',
    );
  }
}

function readHeader(token: string): { readonly algorithm: Algorithm; readonly id: string | undefined } {
  let header: Readonly<Record<string, unknown>>;
  try {
    header = decodeProtectedHeader(token);
  } catch {
    throw invalid('the token is not a JSON Web Token (RFC 7519); get one made for this server');
  }
  const algorithm = ALGORITHMS.find((known) => known === header.alg);
  if (algorithm === undefined) throw invalid(`tokens must be signed with one of ${ALGORITHMS.join(', ')}`);
  if (header.crit !== undefined)
    throw invalid('the token asks for extensions ("crit") that are not known here');
  if (header.kid !== undefined && typeof header.kid !== 'string')
    throw invalid('the "kid" in the token\'s header is not a string');
  return { algorithm, id: header.kid };
}

/** @returns undefined when the key did not sign it */
async function verify(token: string, { key, algorithm }: VerificationKey): Promise<Uint8Array | undefined> {
  try {
    return (await compactVerify(token, key, { algorithms: [algorithm] })).payload;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
    if (error instanceof errors.JOSEError) {
      throw invalid('the token is not a JSON Web Token (RFC 7519); get one made for this server');
    }
    throw error;
  }
}

function readClaims(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw invalid("the token's claims are not JSON; get another token");
  }
}

function invalid(message: string): MillraceError {
  return new MillraceError('token_invalid', message);
}
