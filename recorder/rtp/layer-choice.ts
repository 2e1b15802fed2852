import type { Frame } from '../frame.ts';

/** An encoding without packets for this long has stalled, if another delivers. */
export const STALL_MS = 500;
/** One that waits for a key frame for this long has stalled too. */
const STARVED_MS = 1000;
/** How long a key frame is kept for a larger encoding's, which is asked for at the same time. */
const PATIENCE_MS = 300;
const MAX_CANDIDATE_FRAMES = 128;
/** A larger encoding that waited for a lost packet is behind: rising to it would go back in time. */
const MAX_RETURN_MS = 100;

interface Candidate {
  readonly encoding: number;
  readonly sinceMs: number;
  readonly frames: Frame[];
}

interface EncodingState {
  /** undefined = not known yet: nothing since the beginning, or since a pause. */
  deliveredAtMs: number | undefined;
  /** Since when nothing but a key frame helps. */
  waitingSinceMs: number | undefined;
}

/**
 * Chooses among simulcast encodings, lowest first: the largest that delivers. Every change happens at a key frame of
 * the encoding that is changed to.
 */
export class LayerChoice {
  readonly #states: EncodingState[];
  #current: number | undefined;
  #candidate: Candidate | undefined;
  /** Arrival of the newest frame that was taken. */
  #takenAtMs = Number.NEGATIVE_INFINITY;

  constructor(encodings: number) {
    this.#states = Array.from({ length: encodings }, unknown);
  }

  /** The encoding that frames come from; undefined before the first. */
  get current(): number | undefined {
    return this.#current;
  }

  delivered(encoding: number, atMs: number): void {
    const state = this.#states[encoding];
    if (state !== undefined) state.deliveredAtMs = atMs;
  }

  /** @param waiting for a key frame */
  waits(encoding: number, waiting: boolean, atMs: number): void {
    const state = this.#states[encoding];
    if (state !== undefined) state.waitingSinceMs = waiting ? (state.waitingSinceMs ?? atMs) : undefined;
  }

  /** What was delivered before says nothing of what comes now. @returns frames that were kept back */
  restart(): Frame[] {
    for (const encoding of this.#states.keys()) this.#states[encoding] = unknown();
    const candidate = this.#candidate;
    return candidate === undefined ? [] : this.#switchTo(candidate.encoding, candidate.frames);
  }

  /** Those of an encoding's frames, and of those kept back, that are recorded. */
  choose(encoding: number, frames: readonly Frame[], atMs: number): Frame[] {
    const out: Frame[] = [];
    for (const frame of frames) this.#meet(encoding, frame, atMs, out);
    out.push(...this.tick(atMs));
    for (const frame of out) this.#takenAtMs = Math.max(this.#takenAtMs, frame.atMs);
    return out;
  }

  tick(atMs: number): Frame[] {
    const candidate = this.#candidate;
    if (candidate === undefined) return [];
    const full = candidate.frames.length >= MAX_CANDIDATE_FRAMES;
    const patient =
      atMs - candidate.sinceMs < PATIENCE_MS &&
      this.#states.some(
        ({ deliveredAtMs }, encoding) =>
          encoding > candidate.encoding && (deliveredAtMs === undefined || this.#isAlive(encoding, atMs)),
      );
    return patient && !full ? [] : this.#switchTo(candidate.encoding, candidate.frames);
  }

  /** Whether nothing is recorded and a key frame would help. */
  starves(atMs: number): boolean {
    if (this.#candidate !== undefined) return false;
    const alive = this.#states.some((_, encoding) => this.#isAlive(encoding, atMs));
    if (this.#current === undefined) return true;
    const waits = this.#states[this.#current]?.waitingSinceMs !== undefined;
    return waits || (alive && !this.#isAlive(this.#current, atMs));
  }

  /** Whether a larger encoding than the one recorded delivers: a key frame of it would be taken. */
  couldRise(atMs: number): boolean {
    return this.#current !== undefined && this.#isLargerAlive(this.#current, atMs);
  }

  #meet(encoding: number, frame: Frame, atMs: number, out: Frame[]): void {
    if (encoding === this.#current) {
      this.#candidate = undefined;
      out.push(frame);
      return;
    }
    if (encoding === this.#candidate?.encoding) {
      this.#candidate.frames.push(frame);
      return;
    }
    if (!frame.keyFrame) return;
    const delivers = this.#current !== undefined && !this.#hasStalled(this.#current, atMs);
    if (delivers) {
      const behind = frame.atMs < this.#takenAtMs - MAX_RETURN_MS;
      if (encoding > (this.#current ?? 0) && !behind) out.push(...this.#switchTo(encoding, [frame]));
    } else if (encoding > (this.#candidate?.encoding ?? -1)) {
      this.#candidate = { encoding, sinceMs: this.#candidate?.sinceMs ?? atMs, frames: [frame] };
    }
  }

  #switchTo(encoding: number, frames: readonly Frame[]): Frame[] {
    const fell = this.#current !== undefined && encoding < this.#current;
    this.#current = encoding;
    this.#candidate = undefined;
    const [first, ...rest] = frames;
    if (first === undefined) return [];
    // What the larger encoding would have shown until here is missing.
    return [{ ...first, afterLoss: fell }, ...rest];
  }

  #hasStalled(encoding: number, atMs: number): boolean {
    const waitingSinceMs = this.#states[encoding]?.waitingSinceMs;
    return (
      !this.#isAlive(encoding, atMs) || (waitingSinceMs !== undefined && atMs - waitingSinceMs >= STARVED_MS)
    );
  }

  #isAlive(encoding: number, atMs: number): boolean {
    const deliveredAtMs = this.#states[encoding]?.deliveredAtMs;
    return deliveredAtMs !== undefined && atMs - deliveredAtMs < STALL_MS;
  }

  #isLargerAlive(encoding: number, atMs: number): boolean {
    return this.#states.some((_, other) => other > encoding && this.#isAlive(other, atMs));
  }
}

function unknown(): EncodingState {
  return { deliveredAtMs: undefined, waitingSinceMs: undefined };
}
