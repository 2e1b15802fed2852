import type { SenderReport } from '../frame.ts';
import { type ClockState, EncodingClock, type EncodingId } from './encoding-clock.ts';
import { ReportClock, type ReportClockState } from './report-clock.ts';

export interface ClocksState {
  readonly encodings: readonly ClockState[];
  readonly reports: ReportClockState;
  readonly anchorMs?: number | undefined;
}

/** Those of two generations with simulcast, and some more. */
const MAX_CLOCKS = 12;
/** What comes so much before its time was not stamped by the clock that it seems to be. */
const IMPOSSIBLY_EARLY_MS = 3000;
const SLEW = 0.005;
/** A difference beyond it is corrected at once, if enough reports say so. */
const STEP_MS = 500;
const STEP_REPORTS = 3;

/** The clocks of all encodings of a recording, held together by the receiver's. */
export class Clocks {
  #encodings: EncodingClock[];
  #reports: ReportClock;
  /** File time minus arrival, for what is delayed least. */
  #anchorMs: number | undefined;

  constructor(state?: ClocksState) {
    this.#encodings = (state?.encodings ?? []).map((clock) => new EncodingClock(clock));
    this.#reports = new ReportClock(state?.reports);
    this.#anchorMs = state?.anchorMs;
  }

  get state(): ClocksState {
    return {
      encodings: this.#encodings.map(({ state }) => state),
      reports: this.#reports.state,
      anchorMs: this.#anchorMs,
    };
  }

  /** Another receiver: its time `atMs` is `fileMs` in the file, as well as is known. */
  changeReceiver(fileMs: number, atMs: number): void {
    for (const clock of this.#encodings) clock.forgetReceiver();
    this.#reports = new ReportClock();
    this.#anchorMs = fileMs - atMs;
  }

  find(id: EncodingId): EncodingClock | undefined {
    return this.#encodings.find((clock) => clock.is(id));
  }

  /** The one unused for longest is forgotten where there are too many. */
  use(id: EncodingId, rateHz: number): EncodingClock {
    const known = this.find(id);
    if (known !== undefined) return known;
    const { producerId, encoding } = id;
    const clock = new EncodingClock({
      producerId,
      encoding,
      rateHz,
      provisional: true,
      reports: [],
      suspects: [],
    });
    const kept = this.#encodings.toSorted((a, b) => b.usedAtMs - a.usedAtMs).slice(0, MAX_CLOCKS - 1);
    this.#encodings = [...kept, clock];
    return clock;
  }

  /** @returns whether it was one to be used */
  reported(clock: EncodingClock, { ntpMs, rtpTimestamp, atMs }: SenderReport): boolean {
    if (clock.knowsReportOf(atMs)) return false;
    const setBy = this.#reports.check(ntpMs, atMs);
    if (setBy === undefined) return false;
    if (setBy !== 0) for (const encoding of this.#encodings) encoding.shiftReports(setBy);
    this.#watch(clock, () => clock.reported(ntpMs, rtpTimestamp, atMs));
    return true;
  }

  /** File time of what was captured when a packet was that arrives now, undelayed; undefined before the file begins. */
  expectedMs(atMs: number): number | undefined {
    return this.#anchorMs === undefined ? undefined : atMs + this.#anchorMs;
  }

  /** File time 0 is where this clock has this timestamp. */
  begin(clock: EncodingClock, rtp: number): void {
    clock.baseMs = -clock.ms(rtp);
    this.follow(clock);
  }

  /** Where a clock without a place gets one, or one that was not in use for a while. */
  place(clock: EncodingClock, master: EncodingClock | undefined): void {
    const byReports = this.#byReports(clock, master);
    const { arrivalMs } = clock;
    const byArrival =
      this.#anchorMs === undefined || arrivalMs === undefined ? undefined : this.#anchorMs + arrivalMs;
    clock.provisional = byReports === undefined;
    clock.baseMs = byReports ?? byArrival ?? clock.baseMs;
  }

  /** The file's time runs by this clock: what arrives is expected by it. */
  follow(clock: EncodingClock): void {
    if (clock.baseMs !== undefined && clock.arrivalMs !== undefined)
      this.#anchorMs = clock.baseMs - clock.arrivalMs;
  }

  /**
   * Moves a clock to where the master's reports say that it should be: at once what had its place by arrival, little
   * by little after that. @param elapsedMs since it was moved last
   */
  slew(clock: EncodingClock, master: EncodingClock | undefined, elapsedMs: number): void {
    const target = this.#byReports(clock, master);
    if (target === undefined || master === undefined || clock.baseMs === undefined) return;
    const differenceMs = target - clock.baseMs;
    const isSure = Math.min(clock.reportCount, master.reportCount) >= STEP_REPORTS;
    const limitMs = Math.max(0, elapsedMs) * SLEW;
    const isSmall = Math.abs(differenceMs) <= STEP_MS;
    if (isSmall ? clock.provisional || master.provisional : isSure) clock.baseMs = target;
    else clock.baseMs += Math.max(-limitMs, Math.min(limitMs, differenceMs));
    if (!isSure) return;
    clock.provisional = false;
    master.provisional = false;
  }

  /** Corrects a clock whose encoder jumped far ahead: its frames would lie in the future. */
  catchJump(clock: EncodingClock, rtp: number, atMs: number): void {
    const expectedMs = this.expectedMs(atMs);
    if (expectedMs === undefined || clock.baseMs === undefined || clock.arrivalMs === undefined) return;
    const earlyMs = clock.baseMs + clock.ms(rtp) - expectedMs;
    if (earlyMs > IMPOSSIBLY_EARLY_MS) this.#watch(clock, () => clock.step(-earlyMs));
  }

  /** All of the file's times, moved: the file begins anew there. */
  rebase(byMs: number): void {
    for (const clock of this.#encodings) if (clock.baseMs !== undefined) clock.baseMs += byMs;
    if (this.#anchorMs !== undefined) this.#anchorMs += byMs;
  }

  /** What others were compared with is no more what it was, where a clock breaks off. */
  #watch(clock: EncodingClock, change: () => void): void {
    const { breaks } = clock;
    change();
    if (clock.breaks === breaks) return;
    for (const encoding of this.#encodings) encoding.forgetComparison(clock);
  }

  #byReports(clock: EncodingClock, master: EncodingClock | undefined): number | undefined {
    if (master === undefined || master === clock || master.baseMs === undefined) return undefined;
    const together = clock.differenceTo(master);
    if (together !== undefined) return master.baseMs + together;
    const reversed = master.differenceTo(clock);
    if (reversed !== undefined) return master.baseMs - reversed;
    if (clock.reportMs === undefined || master.reportMs === undefined) return undefined;
    return master.baseMs + clock.reportMs - master.reportMs;
  }
}
