import type { Calls } from './calls.ts';
import { type RedisClient, reconnect } from './connection.ts';
import type { Slot } from './keys.ts';

const INTERVAL_MS = 1000;
const AWAY_INTERVAL_MS = 200;
/** A connection that is silent for so long is given up: nobody may ever answer on it. */
const SILENCE_MS = 2500;

/**
 * Asks Redis every second whether it is there, takes writes, and still knows all that it was told. One that came
 * back empty, or another one that took its place, may not: it is as if born anew.
 */
export class Pulse {
  readonly #client: RedisClient;
  readonly #calls: Calls;
  readonly #slot: Slot;
  readonly #hashSlot: number;
  readonly #onBeat: (complete: boolean) => void;
  readonly #onLoss: () => void;
  /** Since when it remembers, by its own clock. */
  #birth: string | undefined;
  /** What it was told last. */
  #noticed = '';
  #answeredAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #beating = false;
  #stopped = false;

  /** @param options.onBeat called after each answer: whether the registry is complete, or being told what it lost */
  constructor(options: {
    client: RedisClient;
    calls: Calls;
    slot: Slot;
    /** Of Redis Cluster. */
    hashSlot: number;
    onBeat: (complete: boolean) => void;
    onLoss: () => void;
  }) {
    this.#client = options.client;
    this.#calls = options.calls;
    this.#slot = options.slot;
    this.#hashSlot = options.hashSlot;
    this.#onBeat = options.onBeat;
    this.#onLoss = options.onLoss;
  }

  start(): void {
    this.#client.on('ready', this.#now);
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#client.off('ready', this.#now);
  }

  /** What another call was told: unless it is as before, the pulse looks at once. */
  notice(birth: string): void {
    this.#noticed = birth;
    if (this.#birth !== undefined && birth !== this.#birth) this.#now();
  }

  readonly #now = (): void => {
    clearTimeout(this.#timer);
    void this.#beat();
  };

  async #beat(): Promise<void> {
    if (this.#beating || this.#stopped) return;
    this.#beating = true;
    if (this.#client.status === 'ready') await this.#ask();
    // A connection that is being made has its own deadline.
    else this.#answeredAtMs = performance.now();
    this.#beating = false;
    if (!this.#stopped) this.#schedule();
  }

  async #ask(): Promise<void> {
    try {
      const [outcome] = await this.#calls.send(`pulse-${this.#slot}`, []);
      this.#answeredAtMs = performance.now();
      const before = this.#birth;
      this.#birth = this.#noticed;
      if (before !== undefined && before !== this.#birth) this.#onLoss();
      this.#onBeat(outcome === 'complete');
    } catch {
      // The call has told it. One that takes no writes is no silent one.
      if (this.#calls.reach(this.#slot).isUp) this.#answeredAtMs = performance.now();
      if (performance.now() - this.#answeredAtMs < SILENCE_MS || this.#stopped) return;
      this.#answeredAtMs = performance.now();
      if (this.#client.status === 'ready') reconnect(this.#client, this.#hashSlot);
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const intervalMs = this.#calls.reach(this.#slot).isUp ? INTERVAL_MS : AWAY_INTERVAL_MS;
    this.#timer = setTimeout(() => void this.#beat(), intervalMs);
  }
}
