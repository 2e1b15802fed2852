/** What a measurement found: figures beside those of a peer in the same run, and whether targets are met. */
export interface Report {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly verdicts: readonly Verdict[];
  /** What has to be known to read the figures. */
  readonly notes: readonly string[];
  /** Every single figure, for the file. */
  readonly data: unknown;
}

export interface Verdict {
  readonly what: string;
  readonly measured: string;
  readonly target: string;
  readonly met: boolean;
}

export interface BenchOptions {
  /** Fewer and shorter rounds, to see that everything runs; its figures mean little. */
  readonly short: boolean;
  readonly say: (line: string) => void;
}

export type Bench = (options: BenchOptions) => Promise<Report>;
