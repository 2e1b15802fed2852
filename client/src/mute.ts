import { type MuteState, UNMUTED } from './stream-events.ts';

/** What is to be muted at the server, and what is as far as this end knows. */
export class Mute {
  #wanted: MuteState = UNMUTED;
  #applied: MuteState = UNMUTED;
  /** The server may have another state than the one that was applied last. */
  #doubtful = false;

  get wanted(): MuteState {
    return this.#wanted;
  }

  /** Whether the server has to be asked for what is wanted. */
  get due(): boolean {
    const { audio, video } = this.#wanted;
    return this.#doubtful || audio !== this.#applied.audio || video !== this.#applied.video;
  }

  want(state: Partial<MuteState>): void {
    this.#wanted = { ...this.#wanted, ...state };
  }

  applied(state: MuteState): void {
    this.#applied = state;
    this.#doubtful = false;
  }

  /** A refusal for good: what is there stays. */
  refused(): void {
    this.#wanted = this.#applied;
    this.#doubtful = false;
  }

  /** A request without an answer may have been done all the same. */
  unanswered(): void {
    this.#doubtful = true;
  }

  /** The server keeps a mute for a new transport of the same session, and knows none in a new session. */
  transportMade(): void {
    if (this.#applied.audio || this.#applied.video) this.#doubtful = true;
  }
}
