import type { Logger } from 'pino';
import { Counter, Gauge, type Registry as MetricsRegistry } from 'prom-client';
import { signature, type WebhookEvent, type WebhookSink } from '../../core/webhook/index.ts';

export interface OutboxTimes {
  /** For one attempt. */
  readonly timeoutMs: number;
  /** Pause after the first failure; it doubles with each further one, less chance. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** What could not be delivered for that long is given up. */
  readonly giveUpMs: number;
}

export interface OutboxOptions {
  readonly url: string;
  readonly secret: string;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  readonly times?: Partial<OutboxTimes>;
  /** Events that wait; one more pushes the oldest out. */
  readonly maxWaiting?: number;
}

const TIMES: OutboxTimes = {
  timeoutMs: 10_000,
  firstPauseMs: 1000,
  longestPauseMs: 300_000,
  giveUpMs: 24 * 3_600_000,
};
const MAX_WAITING = 10_000;
const AT_ONCE = 8;
/** What is due when the process ends is tried for that long. */
const LAST_CALL_MS = 1000;

interface Waiting {
  readonly event: WebhookEvent;
  readonly sinceMs: number;
  failures: number;
  dueMs: number;
  sending: boolean;
}

/**
 * Delivers events by signed POST, each until its receiver answers with a status of success. Events of one stream go in
 * their order; while one of them fails, later ones of its stream wait. What waits is in memory.
 */
export class Outbox implements WebhookSink {
  readonly #options: OutboxOptions;
  readonly #times: OutboxTimes;
  readonly #maxWaiting: number;
  readonly #delivered: Counter<'outcome'>;
  readonly #closing = new AbortController();
  /** Oldest first. */
  readonly #waiting = new Set<Waiting>();
  #sending = 0;
  #timer: NodeJS.Timeout | undefined;
  #failing = false;
  #onIdle: () => void = () => {};

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
    this.#maxWaiting = options.maxWaiting ?? MAX_WAITING;
    const registers = [options.metrics];
    this.#delivered = new Counter({
      name: 'millrace_webhook_deliveries_total',
      help: 'Attempts to deliver an event by webhook, by outcome: delivered, failed (tried again), dropped',
      labelNames: ['outcome'],
      registers,
    });
    const waiting = this.#waiting;
    new Gauge({
      name: 'millrace_webhook_waiting',
      help: 'Events that wait to be delivered',
      registers,
      collect() {
        this.set(waiting.size);
      },
    });
  }

  tell(event: WebhookEvent): void {
    if (this.#closing.signal.aborted) return;
    if (this.#waiting.size >= this.#maxWaiting) this.#pushOut();
    const nowMs = performance.now();
    this.#waiting.add({ event, sinceMs: nowMs, failures: 0, dueMs: nowMs, sending: false });
    this.#pump();
  }

  /** Tries for a second more what is due. */
  async close(): Promise<void> {
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      setTimeout(resolve, LAST_CALL_MS).unref();
    });
    this.#pump();
    await idle;
    this.#closing.abort();
    clearTimeout(this.#timer);
    const { size } = this.#waiting;
    if (size > 0) this.#options.log.warn({ events: size }, 'webhooks not delivered, as this process ends');
  }

  #pushOut(): void {
    for (const waiting of this.#waiting) {
      if (waiting.sending) continue;
      this.#drop(waiting, 'too many wait');
      return;
    }
  }

  #drop(waiting: Waiting, why: string): void {
    this.#waiting.delete(waiting);
    this.#delivered.inc({ outcome: 'dropped' });
    const { id, type } = waiting.event;
    this.#options.log.warn({ id, type, failures: waiting.failures, why }, 'webhook given up');
  }

  /** Sends what is due, and wakes when the next one is. */
  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#closing.signal.aborted) return;
    const nowMs = performance.now();
    const busy = new Set<string>();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const waiting of this.#waiting) {
      if (this.#sending >= AT_ONCE) break;
      const { stream } = waiting.event.data;
      const blocked = waiting.sending || busy.has(stream);
      busy.add(stream);
      if (blocked) continue;
      if (waiting.dueMs <= nowMs) void this.#send(waiting);
      else nextMs = Math.min(nextMs, waiting.dueMs);
    }
    if (this.#sending === 0 && nextMs > nowMs) this.#onIdle();
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#pump(), nextMs - nowMs);
    this.#timer.unref();
  }

  async #send(waiting: Waiting): Promise<void> {
    waiting.sending = true;
    this.#sending += 1;
    try {
      await this.#post(waiting.event);
      this.#waiting.delete(waiting);
      this.#delivered.inc({ outcome: 'delivered' });
      if (this.#failing) this.#options.log.info('webhooks are taken again');
      this.#failing = false;
    } catch (error) {
      this.#failed(waiting, error);
    } finally {
      waiting.sending = false;
      this.#sending -= 1;
      this.#pump();
    }
  }

  #failed(waiting: Waiting, error: unknown): void {
    this.#delivered.inc({ outcome: 'failed' });
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const why = cause instanceof Error ? cause.message : String(cause);
    if (!this.#failing) this.#options.log.warn({ why }, 'webhooks are not taken; they are tried again');
    this.#failing = true;
    const nowMs = performance.now();
    if (nowMs - waiting.sinceMs >= this.#times.giveUpMs) {
      this.#drop(waiting, why);
      return;
    }
    const { firstPauseMs, longestPauseMs } = this.#times;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(waiting.failures, 30));
    waiting.failures += 1;
    // Several processes must not come back to a receiver all at once.
    waiting.dueMs = nowMs + pauseMs * (0.5 + Math.random() / 2);
  }

  async #post(event: WebhookEvent): Promise<void> {
    const { url, secret } = this.#options;
    const body = JSON.stringify(event);
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'Millrace-Event': event.type,
        'Millrace-Signature': signature(secret, Math.floor(Date.now() / 1000), body),
      },
      body,
      // A redirect could lead away from https, or anywhere.
      redirect: 'error',
      signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(this.#times.timeoutMs)]),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  }
}
