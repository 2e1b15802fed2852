import type { Logger } from 'pino';
import { MillraceError } from '../../core/protocol/index.ts';
import { boundedBody, reasonOf } from './bounded-body.ts';
import { MAX_KEY_SET_BYTES, matchingKeys, readPublishedKeys } from './key-set.ts';
import type { Algorithm, KeySource, VerificationKey } from './verification-key.ts';

export interface JwksTimes {
  /** From one good answer to the next request. */
  readonly refreshMs: number;
  /** After an answer that was of no use. */
  readonly retryMs: number;
  /** Tokens with unknown key ids cause at most one request in that time. */
  readonly cooldownMs: number;
  /** For a whole answer. */
  readonly timeoutMs: number;
}

const TIMES: JwksTimes = { refreshMs: 600_000, retryMs: 5000, cooldownMs: 30_000, timeoutMs: 5000 };

/**
 * Keys that a provider publishes as a JWK Set (RFC 7517 section 5), asked for again and again. What it
 * answered last counts for as long as it does not answer anew.
 */
export class JwksUrl implements KeySource {
  readonly #url: string;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #times: JwksTimes;
  readonly #closing = new AbortController();
  #keys: readonly VerificationKey[] | undefined;
  #asking: Promise<void> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #failing = false;
  #timer: NodeJS.Timeout | undefined;

  /** Asks at once. @param now milliseconds that never go back */
  constructor(options: { url: string; log: Logger; now: () => number; times?: Partial<JwksTimes> }) {
    this.#url = options.url;
    this.#log = options.log;
    this.#now = options.now;
    this.#times = { ...TIMES, ...options.times };
    void this.#ask();
  }

  async keysFor(algorithm: Algorithm, id: string | undefined): Promise<readonly VerificationKey[]> {
    // A secret is never published, and a token that names one asks for nothing.
    if (algorithm === 'HS256') return [];
    const known = matchingKeys(this.#keys ?? [], algorithm, id);
    if (known.length > 0) return known;
    if (this.#asking !== undefined || this.#mayAsk()) await this.#ask();
    if (this.#keys === undefined) {
      throw new MillraceError(
        'authorisation_unavailable',
        'the keys to check tokens with cannot be fetched now; try again later',
      );
    }
    return matchingKeys(this.#keys, algorithm, id);
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
  }

  #mayAsk(): boolean {
    const pauseMs = this.#keys === undefined ? this.#times.retryMs : this.#times.cooldownMs;
    return !this.#closing.signal.aborted && this.#now() - this.#askedAtMs >= pauseMs;
  }

  /** One request at a time, which all wait for that need it. Never rejects. */
  #ask(): Promise<void> {
    this.#asking ??= this.#refresh().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#askedAtMs = this.#now();
    try {
      const { keys, passedOver } = readPublishedKeys(await this.#fetch());
      if (this.#failing || this.#keys === undefined) {
        this.#log.info({ url: this.#url, keys: keys.length, passedOver }, 'keys for tokens fetched');
      }
      this.#keys = keys;
      this.#failing = false;
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (!this.#failing) {
        const outcome = this.#keys === undefined ? 'no token can be checked' : 'the former stay';
        this.#log.warn({ url: this.#url, why: reasonOf(error) }, `keys for tokens not fetched; ${outcome}`);
      }
      this.#failing = true;
    }
    if (this.#closing.signal.aborted) return;
    const { refreshMs, retryMs } = this.#times;
    this.#timer = setTimeout(() => void this.#ask(), this.#failing ? retryMs : refreshMs);
    this.#timer.unref();
  }

  async #fetch(): Promise<string> {
    const response = await fetch(this.#url, {
      headers: { Accept: 'application/jwk-set+json, application/json' },
      // A redirect could lead away from https, or anywhere.
      redirect: 'error',
      signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#times.timeoutMs)]),
    });
    return boundedBody(response, MAX_KEY_SET_BYTES);
  }
}
