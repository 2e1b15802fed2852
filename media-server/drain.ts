import type { Logger } from 'pino';
import type { StreamName } from '../core/protocol/stream-name.ts';
import type { Stream } from './stream.ts';

/** So that not all publishers come to the other media servers at once. */
const PER_STREAM_MS = 20;
/** Asking takes this part of the time at most: who was asked last needs time too. */
const ASKING_SHARE = 1 / 3;
const TICK_MS = 100;
/** A request may be lost, with the signaling process that was to pass it on. */
const REMINDER_MS = 5000;

interface DrainedStreams {
  readonly names: readonly StreamName[];
  get(name: StreamName): Pick<Stream, 'depart'> | undefined;
}

/** Moves everything off this media server: publishers are asked one after another, and reminded. */
export class Drain {
  readonly #streams: DrainedStreams;
  readonly #left: () => { readonly streams: number; readonly viewers: number };
  readonly #log: Logger;
  readonly #askedAtMs = new Map<StreamName, number>();

  constructor(options: {
    streams: DrainedStreams;
    /** What is still here. */
    left: () => { readonly streams: number; readonly viewers: number };
    log: Logger;
  }) {
    this.#streams = options.streams;
    this.#left = options.left;
    this.#log = options.log;
  }

  /** Resolves when nothing is left here, or at the deadline. @returns whether it became empty */
  async run(timeoutMs: number): Promise<boolean> {
    const sinceMs = performance.now();
    const elapsedMs = () => Math.round(performance.now() - sinceMs);
    const spreadMs = Math.min(timeoutMs * ASKING_SHARE, this.#left().streams * PER_STREAM_MS);
    const atOnce = Math.max(1, Math.ceil((this.#left().streams * TICK_MS) / Math.max(TICK_MS, spreadMs)));
    this.#log.info({ ...this.#left(), timeout_ms: timeoutMs }, 'draining');
    while (elapsedMs() < timeoutMs) {
      this.#ask(atOnce);
      const { streams, viewers } = this.#left();
      if (streams + viewers === 0) {
        this.#log.info({ ms: elapsedMs() }, 'drained');
        return true;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(TICK_MS, timeoutMs - elapsedMs())));
    }
    this.#log.warn({ ...this.#left(), ms: elapsedMs() }, 'not drained in time; ending what is left');
    return false;
  }

  #ask(atMost: number): void {
    const nowMs = performance.now();
    const due = this.#streams.names.filter(
      (name) => nowMs - (this.#askedAtMs.get(name) ?? Number.NEGATIVE_INFINITY) >= REMINDER_MS,
    );
    for (const name of due.slice(0, atMost)) {
      this.#askedAtMs.set(name, nowMs);
      this.#streams.get(name)?.depart();
    }
  }
}
