export type { TimedBlock } from './block.ts';
export { parseTimelineState, type TimelineState } from './state.ts';
export { Timeline } from './timeline.ts';
