import type { CuePoint } from '../chunk.ts';
import { masterOf, uintOf } from './ebml.ts';
import {
  CUE_CLUSTER_POSITION,
  CUE_POINT,
  CUE_TIME,
  CUE_TRACK,
  CUE_TRACK_POSITIONS,
  CUES,
} from './element.ts';
import { SEGMENT_START } from './head.ts';

/** About 100 kB; four hours at a key frame every 10 s are 1440. */
export const MAX_CUES = 5000;

/** The Cues element (RFC 9559 section 5.1.5), thinned to `MAX_CUES`; without cues nothing, as it must not be empty. */
export function buildCues(cues: readonly CuePoint[]): Uint8Array {
  if (cues.length === 0) return new Uint8Array();
  return masterOf(CUES, ...thinCues(cues).map(cuePoint));
}

/** At most `max` of them, evenly apart in time, the first among them. */
export function thinCues(cues: readonly CuePoint[], max = MAX_CUES): readonly CuePoint[] {
  const first = cues[0];
  const last = cues.at(-1);
  if (cues.length <= max || !first || !last) return cues;
  const stepMs = (last.timeMs - first.timeMs) / (max - 1);
  let dueMs = first.timeMs;
  return cues.filter(({ timeMs }) => {
    if (timeMs < dueMs) return false;
    dueMs += (Math.floor((timeMs - dueMs) / stepMs) + 1) * stepMs;
    return true;
  });
}

function cuePoint({ timeMs, track, offset }: CuePoint): Uint8Array {
  return masterOf(
    CUE_POINT,
    uintOf(CUE_TIME, timeMs),
    masterOf(
      CUE_TRACK_POSITIONS,
      uintOf(CUE_TRACK, track),
      uintOf(CUE_CLUSTER_POSITION, offset - SEGMENT_START),
    ),
  );
}
