import type { Frame } from '../frame.ts';
import type { SourceTrack } from '../source-event.ts';
import { type EncodingReader, encodingReader } from './encoding-reader.ts';
import { LayerChoice } from './layer-choice.ts';
import type { RtpPacket } from './packet.ts';

const REQUEST_INTERVAL_MS = 1000;
/** Requests that would only make the picture larger: a publisher must not be kept busy with key frames. */
const RISE_DELAY_MS = 2000;
const MAX_RISE_DELAY_MS = 32_000;

/**
 * One track from RTP packets to frames, in the order of decoding; pure, its time is `atMs`.
 *
 * - Frames of video begin with a key frame and can all be decoded; after a loss they begin again with one
 *   (`afterLoss`). What waits for a missing packet comes out of a later `push` or `tick`, at most 800 ms late.
 * - Of simulcast the largest encoding that delivers comes out; `Frame.ssrc` tells which. A change is at a key frame,
 *   whose picture may be as old as the last one of the other encoding, or a little older: times are compared by
 *   sender reports (`parseSenderReports`, `nearest32`).
 * - Ask `keyFrameDue` after each tick, and pass a `true` on to the receiver as a key frame request.
 */
export class TrackReader {
  readonly #track: SourceTrack;
  readonly #encodings: readonly EncodingReader[];
  readonly #choice: LayerChoice;
  #muted: boolean;
  #requestedAtMs = Number.NEGATIVE_INFINITY;
  #riseSinceMs: number | undefined;
  #riseDelayMs = RISE_DELAY_MS;

  /** @throws Error for a codec that WebM does not hold */
  constructor(track: SourceTrack) {
    this.#track = track;
    this.#encodings = track.ssrcs.map((ssrc) => encodingReader(track, ssrc));
    this.#choice = new LayerChoice(track.ssrcs.length);
    this.#muted = track.muted;
  }

  /** Packets that wait for others, of all encodings. */
  get held(): number {
    return this.#encodings.reduce((sum, { held }) => sum + held, 0);
  }

  /** Packets of other SSRCs or payload types are ignored. */
  push(packet: RtpPacket, atMs: number): Frame[] {
    const index = this.#track.ssrcs.indexOf(packet.ssrc);
    const encoding = this.#encodings[index];
    if (encoding === undefined || packet.payloadType !== this.#track.payloadType) return [];
    if (packet.payload.length > 0) this.#choice.delivered(index, atMs);
    return this.#take(index, encoding, encoding.push(packet, atMs), atMs);
  }

  /** To be told some times a second: gives up what is missing for too long. */
  tick(atMs: number): Frame[] {
    return this.#encodings.flatMap((encoding, index) =>
      this.#take(index, encoding, encoding.tick(atMs), atMs),
    );
  }

  /** What is missing while the track is muted is no loss; its picture begins again with a key frame. */
  mute(muted: boolean, atMs: number): Frame[] {
    if (muted === this.#muted) return [];
    this.#muted = muted;
    return muted ? this.#pause(atMs) : [...this.#choice.restart(), ...this.tick(atMs)];
  }

  /** The track ends. @returns what was waiting and is whole */
  end(atMs: number): Frame[] {
    return this.#pause(atMs);
  }

  /**
   * Whether a key frame is to be asked for now; each `true` counts as asked. At once when nothing can be decoded
   * without one, and then once a second; rarely when a larger encoding could be recorded.
   */
  keyFrameDue(atMs: number): boolean {
    if (this.#track.kind === 'audio' || this.#muted) return false;
    const due = this.#choice.starves(atMs)
      ? atMs - this.#requestedAtMs >= REQUEST_INTERVAL_MS
      : this.#riseDue(atMs);
    if (due) this.#requestedAtMs = atMs;
    return due;
  }

  #take(index: number, encoding: EncodingReader, frames: readonly Frame[], atMs: number): Frame[] {
    this.#choice.waits(index, encoding.waiting, atMs);
    return this.#choice.choose(index, frames, atMs);
  }

  #pause(atMs: number): Frame[] {
    const frames = this.#encodings.flatMap((encoding, index) =>
      this.#take(index, encoding, encoding.pause(), atMs),
    );
    return [...frames, ...this.#choice.restart()];
  }

  #riseDue(atMs: number): boolean {
    if (!this.#choice.couldRise(atMs)) {
      this.#riseSinceMs = undefined;
      // A larger encoding that comes and goes is asked for more and more rarely too.
      if (this.#choice.current === this.#encodings.length - 1) this.#riseDelayMs = RISE_DELAY_MS;
      return false;
    }
    this.#riseSinceMs ??= atMs;
    if (atMs - this.#riseSinceMs < this.#riseDelayMs) return false;
    this.#riseSinceMs = atMs;
    this.#riseDelayMs = Math.min(2 * this.#riseDelayMs, MAX_RISE_DELAY_MS);
    return true;
  }
}
