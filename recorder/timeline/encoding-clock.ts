import { Comparison, type ComparisonState, type Report } from './comparison.ts';
import { median } from './median.ts';

/** One encoding of one producer; every recorder sees the same RTP timestamps there. */
export interface EncodingId {
  readonly producerId: string;
  /** Among simulcast encodings, lowest first. */
  readonly encoding: number;
}

/** As kept in storage. All but identity and base is by the clocks of one receiver. */
export interface ClockState extends EncodingId {
  readonly rateHz: number;
  readonly lastRtp?: number | undefined;
  readonly baseMs?: number | undefined;
  readonly provisional: boolean;
  readonly arrivalMs?: number | undefined;
  readonly reportedAtMs?: number | undefined;
  readonly reports: readonly number[];
  readonly suspects: readonly number[];
  readonly compared?: ComparisonState | undefined;
}

const KEPT_REPORTS = 8;
const STEP_MS = 500;
const STEP_CONFIRMATIONS = 3;
/** After so long without reports, as a muted track has none, those before say little of clocks that drift. */
const STALE_MS = 10_000;
/** How fast the least delay seen is forgotten; clocks of media drift by a tenth of it. */
const ARRIVAL_LEAK = 0.001;
const WRAP = 2 ** 32;

/**
 * The RTP clock of one encoding: where its timestamps lie in the file, and how they relate to the receiver's
 * clocks, which are the same for all encodings: by arrival, and better by sender reports.
 */
export class EncodingClock implements EncodingId {
  readonly producerId: string;
  readonly encoding: number;
  readonly rateHz: number;
  /** File time of RTP timestamp 0. */
  baseMs: number | undefined;
  /** Its place is by arrival alone, which may be wrong by what packets were delayed. */
  provisional: boolean;
  /** Arrival of its newest frame at this muxer. */
  usedAtMs = Number.NEGATIVE_INFINITY;
  /** How often its encoder began to count elsewhere, seen by this muxer. */
  steps = 0;
  /** How often its reports before said nothing any more of those that follow, seen by this muxer. */
  breaks = 0;
  /** Newest timestamp seen, counting on beyond 2^32. */
  #lastRtp: number | undefined;
  /** What is counted on from before the first frame. */
  #firstRtp: number | undefined;
  /** Arrival minus RTP time, of the packets that were delayed least. */
  #arrivalMs: number | undefined;
  #reportedAtMs: number | undefined;
  /** Sender's clock minus RTP time, of the last reports. */
  #reports: readonly number[] = [];
  #reportMs: number | undefined;
  /** Reports that contradict them. */
  #suspects: number[];
  #compared: Comparison | undefined;

  constructor(state: ClockState) {
    this.producerId = state.producerId;
    this.encoding = state.encoding;
    this.rateHz = state.rateHz;
    this.baseMs = state.baseMs;
    this.provisional = state.provisional;
    this.#lastRtp = state.lastRtp;
    this.#arrivalMs = state.arrivalMs;
    this.#reportedAtMs = state.reportedAtMs;
    this.#keep(state.reports);
    this.#suspects = [...state.suspects];
    this.#compared = state.compared && new Comparison(state.compared);
  }

  get state(): ClockState {
    return {
      producerId: this.producerId,
      encoding: this.encoding,
      rateHz: this.rateHz,
      lastRtp: this.#lastRtp,
      baseMs: this.baseMs,
      provisional: this.provisional,
      arrivalMs: this.#arrivalMs,
      reportedAtMs: this.#reportedAtMs,
      reports: this.#reports,
      suspects: this.#suspects,
      compared: this.#compared?.state,
    };
  }

  is({ producerId, encoding }: EncodingId): boolean {
    return this.producerId === producerId && this.encoding === encoding;
  }

  get lastRtp(): number | undefined {
    return this.#lastRtp;
  }

  get arrivalMs(): number | undefined {
    return this.#arrivalMs;
  }

  /** undefined before the first report. */
  get reportMs(): number | undefined {
    return this.#reportMs;
  }

  get reportCount(): number {
    return this.#reports.length;
  }

  /** Whether a report that arrived then has been taken, by another muxer of the same receiver perhaps. */
  knowsReportOf(atMs: number): boolean {
    return this.#reportedAtMs !== undefined && atMs <= this.#reportedAtMs;
  }

  /** Another receiver has other clocks; timestamps and their place in the file stay. */
  forgetReceiver(): void {
    this.#arrivalMs = undefined;
    this.#reportedAtMs = undefined;
    this.#keep([]);
    this.#suspects = [];
    this.#compared = undefined;
  }

  /** Another clock's newest report is beside this one's newest: what they say of each other is remembered. */
  compare(other: EncodingClock): void {
    const [own, others] = [this.#newestReport, other.#newestReport];
    if (own === undefined || others === undefined) return;
    if (!this.#compared?.isWith(other)) this.#compared = new Comparison({ ...idOf(other), differences: [] });
    this.#compared.add(own, others);
  }

  /** This one's reports minus the other's, of those that came together; undefined where none did. */
  differenceTo(other: EncodingClock): number | undefined {
    return this.#compared?.isWith(other) ? this.#compared.medianMs : undefined;
  }

  /** What it was compared with has broken off. */
  forgetComparison(other: EncodingId): void {
    if (this.#compared?.isWith(other)) this.#compared = undefined;
  }

  /** A timestamp as one that counts on from the newest seen, whatever a reader counted from. */
  unwrap(rtpTimestamp: number): number {
    this.#firstRtp ??= rtpTimestamp % WRAP;
    const known = this.#lastRtp ?? this.#firstRtp;
    const ahead = (((rtpTimestamp - known) % WRAP) + WRAP) % WRAP;
    return known + (ahead < WRAP / 2 ? ahead : ahead - WRAP);
  }

  /** @param rtp from `unwrap` */
  ms(rtp: number): number {
    return (rtp * 1000) / this.rateHz;
  }

  /** Takes a frame's arrival into account, unless it is older than the newest. */
  arrived(rtp: number, atMs: number): void {
    this.usedAtMs = atMs;
    const elapsedMs = this.#lastRtp === undefined ? 0 : this.ms(rtp - this.#lastRtp);
    if (elapsedMs < 0) return;
    this.#lastRtp = rtp;
    const sample = atMs - this.ms(rtp);
    this.#arrivalMs =
      this.#arrivalMs === undefined ? sample : Math.min(sample, this.#arrivalMs + elapsedMs * ARRIVAL_LEAK);
  }

  /** A report of this encoding. */
  reported(ntpMs: number, rtpTimestamp: number, atMs: number): void {
    const isStale = this.#reportedAtMs !== undefined && atMs - this.#reportedAtMs > STALE_MS;
    this.#reportedAtMs = atMs;
    const sample = ntpMs - this.ms(this.unwrap(rtpTimestamp));
    const known = this.reportMs;
    if (known === undefined || Math.abs(sample - known) <= STEP_MS) {
      this.#keep(isStale ? [sample] : [...this.#reports, sample].slice(-KEPT_REPORTS));
      this.#suspects = [];
      if (isStale) {
        this.provisional = true;
        this.#break();
      }
      return;
    }
    const suspects = confirming(this.#suspects, sample);
    this.#suspects = suspects;
    if (suspects.length < STEP_CONFIRMATIONS) return;
    this.step(median(suspects) - known);
    this.#keep(suspects);
    this.#suspects = [];
  }

  /** The encoder began to count elsewhere: the same moment has another timestamp from now on. */
  step(byMs: number): void {
    if (this.baseMs !== undefined) this.baseMs += byMs;
    this.steps += 1;
    this.#arrivalMs = undefined;
    // What comes next is the newest, even if it counts less.
    this.#firstRtp = this.#lastRtp;
    this.#lastRtp = undefined;
    this.shiftReports(byMs);
    this.#break();
  }

  /** The clock that senders report by was set. */
  shiftReports(byMs: number): void {
    this.#keep(this.#reports.map((sample) => sample + byMs));
    this.#suspects = this.#suspects.map((sample) => sample + byMs);
  }

  /** undefined where that contradicts those before. */
  get #newestReport(): Report | undefined {
    const sample = this.#reports.at(-1);
    if (sample === undefined || this.#reportedAtMs === undefined || this.#suspects.length > 0)
      return undefined;
    return { sample, atMs: this.#reportedAtMs };
  }

  #break(): void {
    this.breaks += 1;
    this.#compared = undefined;
  }

  #keep(reports: readonly number[]): void {
    this.#reports = reports;
    this.#reportMs = reports.length === 0 ? undefined : median(reports);
  }
}

function idOf({ producerId, encoding }: EncodingId): EncodingId {
  return { producerId, encoding };
}

/** Samples that agree with the newest one; those before it count no more when they do not. */
export function confirming(suspects: readonly number[], sample: number): number[] {
  return [...suspects.filter((suspect) => Math.abs(suspect - sample) <= STEP_MS), sample];
}
