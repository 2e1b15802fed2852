import { median } from './median.ts';

export interface ComparisonState {
  /** The other encoding. */
  readonly producerId: string;
  readonly encoding: number;
  readonly differences: readonly number[];
  /** Of the last pair: when the other's report came, and how far its own was from it. */
  readonly otherAtMs?: number | undefined;
  readonly apartMs?: number | undefined;
}

export interface Report {
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
  #otherAtMs: number | undefined;
  #apartMs: number;

  constructor(state: ComparisonState) {
    this.#state = state;
    this.#differences = [...state.differences];
    this.#otherAtMs = state.otherAtMs;
    this.#apartMs = state.apartMs ?? 0;
  }

  get state(): ComparisonState {
    return {
      ...this.#state,
      differences: this.#differences,
      otherAtMs: this.#otherAtMs,
      apartMs: this.#apartMs,
    };
  }

  get medianMs(): number | undefined {
    return this.#differences.length === 0 ? undefined : median(this.#differences);
  }

  isWith({ producerId, encoding }: Pick<ComparisonState, 'producerId' | 'encoding'>): boolean {
    return producerId === this.#state.producerId && encoding === this.#state.encoding;
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
