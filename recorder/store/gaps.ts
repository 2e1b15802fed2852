import type { RecordingGap } from '../../core/recording/recording.ts';
import type { GapSummary } from './tail.ts';

/** A stream that loses packets for days must not fill the checkpoints. */
const MAX_LISTED = 500;

export const NO_GAPS: GapSummary = { count: 0, totalMs: 0, listed: [] };

export function addGaps(summary: GapSummary, gaps: readonly RecordingGap[]): GapSummary {
  if (gaps.length === 0) return summary;
  return {
    count: summary.count + gaps.length,
    totalMs: summary.totalMs + gaps.reduce((sum, { fromMs, toMs }) => sum + (toMs - fromMs), 0),
    listed: [...summary.listed, ...gaps].slice(0, MAX_LISTED),
  };
}
