import type { Clock } from './clock.ts';
import { MillraceError } from './error.ts';

/** Callers that wait until something is done, each with a deadline. */
export class Waiters {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #waiting = new Set<{ resolve: () => void; reject: (error: MillraceError) => void }>();

  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** @throws MillraceError that `rejectAll` was given; `no_reply` after the deadline */
  wait(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const waiter = {
        resolve: () => {
          cancelDeadline();
          resolve();
        },
        reject: (error: MillraceError) => {
          cancelDeadline();
          reject(error);
        },
      };
      const cancelDeadline = this.#clock.after(this.#timeoutMs, () => {
        this.#waiting.delete(waiter);
        reject(
          new MillraceError('no_reply', `not done within ${this.#timeoutMs} ms; it is still being tried`),
        );
      });
      this.#waiting.add(waiter);
    });
  }

  resolveAll(): void {
    for (const waiter of this.#waiting) waiter.resolve();
    this.#waiting.clear();
  }

  rejectAll(error: MillraceError): void {
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting.clear();
  }
}
