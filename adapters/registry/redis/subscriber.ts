import type { Redis } from 'ioredis';
import { backOff } from './connection.ts';

const CHECK_MS = 1000;
const ANSWER_TIMEOUT_MS = 1000;
/** Connection, log-in and Redis' own word that it is ready. */
const OPEN_TIMEOUT_MS = 2000;
/** In one command. */
const MAX_CHANNELS = 500;

export interface SubscriberOptions {
  /** An unopened connection to the server that tells now; it is opened, used and closed here. */
  readonly open: () => Redis;
  /** Whether that server still is the one to listen to. */
  readonly isCurrent: (connection: Redis) => boolean;
  /** All that is to be listened to. */
  readonly channels: () => readonly string[];
  /** It listens to all of them, after a time in which it may have missed anything. */
  readonly onListening: () => void;
  readonly onMessage: (channel: string, message: string) => void;
}

/** Listens to channels, over a connection of its own that it makes anew whenever it is lost or the wrong one. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  #connection: Redis | undefined;
  #listening = false;
  #started = false;
  #stopped = false;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
  }

  get isListening(): boolean {
    return this.#listening;
  }

  /** Opens the connection at the first call. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    void this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#drop();
  }

  /** @returns whether it is listened to now; else `onListening` comes, with this channel among all others */
  async listen(channel: string): Promise<boolean> {
    const connection = this.#connection;
    if (connection === undefined || !this.#listening) return false;
    try {
      await inTime(connection.ssubscribe(channel));
      return this.#connection === connection;
    } catch {
      this.#lost(connection);
      return false;
    }
  }

  leave(channel: string): void {
    if (this.#listening) this.#connection?.sunsubscribe(channel).catch(() => {});
  }

  async #connect(): Promise<void> {
    if (this.#stopped) return;
    let connection: Redis;
    try {
      connection = this.#options.open();
    } catch {
      // The cluster has no owner for the channels' slot just now.
      return this.#again();
    }
    this.#connection = connection;
    // What goes wrong shows in the end of the connection; why, in the calls that go wrong as well.
    connection.on('error', () => {});
    connection.on('end', () => this.#lost(connection));
    connection.on('smessage', (channel: string, message: string) => {
      if (this.#connection === connection) this.#options.onMessage(channel, message);
    });
    try {
      await inTime(connection.connect(), OPEN_TIMEOUT_MS);
      await this.#listenToAll(connection);
      if (this.#connection !== connection) return;
      this.#attempt = 0;
      this.#listening = true;
      this.#options.onListening();
      this.#timer = setTimeout(() => void this.#check(connection), CHECK_MS);
    } catch {
      this.#lost(connection);
    }
  }

  /** Channels may be added meanwhile. */
  async #listenToAll(connection: Redis): Promise<void> {
    const done = new Set<string>();
    for (;;) {
      const missing = this.#options.channels().filter((channel) => !done.has(channel));
      if (missing.length === 0) return;
      const next = missing.slice(0, MAX_CHANNELS);
      await inTime(connection.ssubscribe(...next));
      for (const channel of next) done.add(channel);
    }
  }

  async #check(connection: Redis): Promise<void> {
    try {
      if (!this.#options.isCurrent(connection)) return this.#lost(connection);
      await inTime(connection.ping());
      if (this.#connection === connection) {
        this.#timer = setTimeout(() => void this.#check(connection), CHECK_MS);
      }
    } catch {
      this.#lost(connection);
    }
  }

  #lost(connection: Redis): void {
    if (this.#connection !== connection) return;
    this.#drop();
    this.#again();
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#listening = false;
    connection?.disconnect();
  }

  #again(): void {
    clearTimeout(this.#timer);
    this.#attempt += 1;
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#connect(), backOff(this.#attempt));
  }
}

async function inTime<T>(answer: Promise<T>, timeoutMs = ANSWER_TIMEOUT_MS): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), timeoutMs);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
