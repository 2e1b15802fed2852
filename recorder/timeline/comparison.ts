import { median } from './median.ts';

export interface ComparisonState {
  /** The other encoding. */
  readonly producerId: string;
  readonly encoding: number;
  readonly differences: readonly number[];
}

interface Report {
  /** Sender's clock minus RTP time. */
  readonly sample: number;
  readonly atMs: number;
}

const KEPT = 8;
/** Reports further apart were not stamped by what was known of the sender's clock at one moment. */
const TOGETHER_MS = 1000;

/**
 * What two encodings' sender reports say of each other. Each hop stamps reports anew, by what it has learnt of
 * the sender's clock from reports on their way (RFC 3550 section 6.4.1), and learns something else where packets
 * are delayed by different times. That moves reports of all encodings alike, so only those of one moment are
 * compared.
 */
export class Comparison {
  readonly #state: ComparisonState;
  #differences: number[];
  /** Of the other clock; what was compared before it stepped counts no more. */
  readonly #steps: number;
  /** The last pair. */
  #otherAtMs: number | undefined;
  #apartMs = 0;

  /** @param steps of the other clock so far; 0 for one that a predecessor compared with */
  constructor(state: ComparisonState, steps = 0) {
    this.#state = state;
    this.#differences = [...state.differences];
    this.#steps = steps;
  }

  get state(): ComparisonState {
    return { ...this.#state, differences: this.#differences };
  }

  get medianMs(): number | undefined {
    return this.#differences.length === 0 ? undefined : median(this.#differences);
  }

  isWith({ producerId, encoding, steps }: Omit<ComparisonState, 'differences'> & { steps: number }): boolean {
    return (
      producerId === this.#state.producerId && encoding === this.#state.encoding && steps === this.#steps
    );
  }

  add(own: Report, other: Report): void {
    const apartMs = Math.abs(own.atMs - other.atMs);
    if (apartMs > TOGETHER_MS) return;
    const isSame = this.#otherAtMs === other.atMs;
    if (isSame && apartMs >= this.#apartMs) return;
    const before = isSame ? this.#differences.slice(0, -1) : this.#differences;
    this.#differences = [...before, own.sample - other.sample].slice(-KEPT);
    this.#otherAtMs = other.atMs;
    this.#apartMs = apartMs;
  }
}
