import type { RecordingProgress, RecordingState } from './recording.ts';

/** Of a recording that nothing is known of yet. */
export const NO_PROGRESS: RecordingProgress = {
  state: 'starting',
  durableMs: 0,
  receivedMs: 0,
  bytes: 0,
  spoolBytes: 0,
  gaps: { count: 0, totalMs: 0 },
  files: [],
};

/** Nothing more will happen to it. */
export function hasEnded({ state }: { readonly state: RecordingState }): boolean {
  return state === 'completed' || state === 'failed';
}
