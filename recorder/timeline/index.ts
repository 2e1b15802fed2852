export type { TimedBlock } from './block.ts';
export type { TimelineState } from './state.ts';
export { Timeline } from './timeline.ts';
