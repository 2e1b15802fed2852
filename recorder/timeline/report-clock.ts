import { confirming } from './encoding-clock.ts';
import { median } from './median.ts';

export interface ReportClockState {
  readonly offsets: readonly number[];
  readonly suspects: readonly number[];
}

const KEPT_OFFSETS = 8;
const STEP_MS = 500;
const STEP_CONFIRMATIONS = 3;

/**
 * The clock that sender reports are stamped by, beside the receiver's monotonic one. When somebody sets it, reports
 * of all encodings move alike, some sooner than others; what counts between encodings must not notice.
 */
export class ReportClock {
  #offsets: number[];
  #suspects: number[];

  constructor(state: ReportClockState = { offsets: [], suspects: [] }) {
    this.#offsets = [...state.offsets];
    this.#suspects = [...state.suspects];
  }

  get state(): ReportClockState {
    return { offsets: this.#offsets, suspects: this.#suspects };
  }

  /**
   * @returns by how much the clock was set since earlier reports, mostly 0; undefined for a report that is not to be
   *   used: it was late, or the first ones after the clock was set
   */
  check(ntpMs: number, atMs: number): number | undefined {
    const offset = ntpMs - atMs;
    const known = this.#offsets.length === 0 ? offset : median(this.#offsets);
    if (Math.abs(offset - known) <= STEP_MS) {
      this.#offsets = [...this.#offsets, offset].slice(-KEPT_OFFSETS);
      this.#suspects = [];
      return 0;
    }
    this.#suspects = confirming(this.#suspects, offset);
    if (this.#suspects.length < STEP_CONFIRMATIONS) return undefined;
    const setBy = median(this.#suspects) - known;
    this.#offsets = this.#suspects;
    this.#suspects = [];
    return setBy;
  }
}
