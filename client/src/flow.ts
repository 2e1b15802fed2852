import type { Clock } from './clock.ts';

export type FlowChange = 'connected' | 'reconnecting' | 'resumed';

/** Whether a stream's media flows, and for how long at most it may not. */
export class Flow {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #onOverdue: () => void;
  #state: 'connecting' | 'flowing' | 'interrupted' = 'connecting';
  #cancelDeadline: () => void = () => {};

  constructor(clock: Clock, limitMs: number, onOverdue: () => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#onOverdue = onOverdue;
  }

  get interrupted(): boolean {
    return this.#state === 'interrupted';
  }

  /** Begins the time within which media has to flow, anew when it runs already. */
  expect(): void {
    this.#cancelDeadline();
    this.#cancelDeadline = this.#clock.after(this.#limitMs, this.#onOverdue);
  }

  /** @returns what has changed since the call before, null when nothing has */
  update(flowing: boolean): FlowChange | null {
    const before = this.#state;
    if (flowing === (before === 'flowing')) return null;
    if (flowing) {
      this.#state = 'flowing';
      this.#cancelDeadline();
      return before === 'connecting' ? 'connected' : 'resumed';
    }
    if (before === 'connecting') return null;
    this.#state = 'interrupted';
    this.expect();
    return 'reconnecting';
  }

  stop(): void {
    this.#cancelDeadline();
  }
}
