import type { SourceEvent } from '../source-event.ts';
import type { PipeListen } from './own-pipe.ts';
import type { OwnWorker } from './own-worker.ts';
import type { Tap } from './tap.ts';
import type { TrackTable } from './track-table.ts';

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
