import type { SourceEvent } from '../source-event.ts';
import type { PipeListen } from './own-pipe.ts';
import type { OwnWorker } from './own-worker.ts';
import type { ReceivedTrack } from './received-track.ts';
import type { Tap } from './tap.ts';

/** What all that is received from a media server shares here. */
export interface Reception {
  readonly worker: OwnWorker;
  readonly pipeListen: PipeListen;
  readonly tap: Tap;
  readonly tracks: TrackTable;
  readonly emit: (event: SourceEvent) => void;
  /** The receiver's monotonic clock. */
  readonly now: () => number;
}

/** The tracks that are received now. */
export class TrackTable {
  readonly #byNumber = new Map<number, ReceivedTrack>();
  readonly #bySsrc = new Map<number, ReceivedTrack>();
  #count = 0;

  /** A number that no other track had. */
  nextNumber(): number {
    return this.#count++;
  }

  add(track: ReceivedTrack): void {
    this.#byNumber.set(track.number, track);
    for (const ssrc of track.ssrcs) this.#bySsrc.set(ssrc, track);
  }

  remove(track: ReceivedTrack): void {
    this.#byNumber.delete(track.number);
    for (const ssrc of track.ssrcs) this.#bySsrc.delete(ssrc);
  }

  get(number: number): ReceivedTrack | undefined {
    return this.#byNumber.get(number);
  }

  ofSsrc(ssrc: number): ReceivedTrack | undefined {
    return this.#bySsrc.get(ssrc);
  }
}
