export type { TimedBlock } from './block.ts';
export { lengthBefore, type TimelineState } from './state.ts';
export { Timeline } from './timeline.ts';
