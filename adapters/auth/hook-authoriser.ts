import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { type Authoriser, type ClaimRules, type Identity, identityOf } from '../../core/auth/index.ts';
import { MillraceError } from '../../core/protocol/index.ts';
import { boundedBody, reasonOf } from './bounded-body.ts';
import { Turnstile } from './turnstile.ts';

const MAX_TOKEN_CHARACTERS = 16_384;
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_CACHED = 10_000;
const AT_ONCE = 64;
const WAITING = 4096;

export interface HookOptions {
  readonly url: string;
  readonly rules: ClaimRules;
  /** For one question, the time that it waits for its turn included. */
  readonly timeoutMs: number;
  /** How long an answer counts for further requests with the same token; 0 = each is asked about. */
  readonly cacheMs: number;
  readonly log: Logger;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Unix time in ms. */
  readonly wallClock: () => number;
}

type Answer = { readonly claims: unknown } | { readonly refused: true };

/**
 * Has somebody else decide who presents a token, and what it allows. Whatever that one does but answer in time, nobody
 * gets in: `authorisation_unavailable`.
 */
export class HookAuthoriser implements Authoriser {
  readonly #options: HookOptions;
  readonly #turnstile = new Turnstile({ atOnce: AT_ONCE, waiting: WAITING });
  readonly #closing = new AbortController();
  /** By the token's hash: whoever reads memory finds no tokens here. Oldest first. */
  readonly #known = new Map<string, { readonly answer: Answer; readonly untilMs: number }>();
  readonly #asking = new Map<string, Promise<Answer>>();
  #failing = false;

  constructor(options: HookOptions) {
    this.#options = options;
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
    const answer = await this.#answerOn(token);
    if ('refused' in answer) throw invalid('the token was not accepted; get another one for this server');
    return identityOf(answer.claims, this.#options.rules, this.#options.wallClock());
  }

  close(): void {
    this.#closing.abort();
  }

  async #answerOn(token: string): Promise<Answer> {
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(key);
    if (known !== undefined && this.#options.now() < known.untilMs) return known.answer;
    // Many connections of one client at once ask once.
    const asking = this.#asking.get(key);
    if (asking !== undefined) return asking;
    const question = this.#ask(token).finally(() => this.#asking.delete(key));
    this.#asking.set(key, question);
    const answer = await question;
    this.#keep(key, answer);
    return answer;
  }

  #keep(key: string, answer: Answer): void {
    const { cacheMs, now } = this.#options;
    if (cacheMs === 0) return;
    this.#known.delete(key);
    this.#known.set(key, { answer, untilMs: now() + cacheMs });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_CACHED && oldest !== undefined) this.#known.delete(oldest);
  }

  async #ask(token: string): Promise<Answer> {
    const { url, timeoutMs, log } = this.#options;
    // From now on, so that waiting for a turn counts too.
    const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      const answer = await this.#turnstile.run(() => question(url, token, signal));
      if (this.#failing) log.info({ url }, 'the authorisation hook answers again');
      this.#failing = false;
      return answer;
    } catch (error) {
      if (!this.#failing) {
        log.warn({ url, why: reasonOf(error) }, 'the authorisation hook does not answer; nobody gets in');
      }
      this.#failing = true;
      throw new MillraceError(
        'authorisation_unavailable',
        'who may come in cannot be asked now; try again later',
        { cause: error },
      );
    }
  }
}

async function question(url: string, token: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ token }),
    // A redirect could lead away from https, or anywhere.
    redirect: 'error',
    signal,
  });
  if (response.status === 401 || response.status === 403) {
    await response.body?.cancel();
    return { refused: true };
  }
  return { claims: JSON.parse(await boundedBody(response, MAX_ANSWER_BYTES)) };
}

function invalid(message: string): MillraceError {
  return new MillraceError('token_invalid', message);
}
