import { setTimeout as sleep } from 'node:timers/promises';
import type { Viewer } from '../../harness/viewing.ts';

/** Watches a viewer for a while. @returns the longest time without a new frame, looked at every 50 ms */
export async function longestFreezeMs(viewer: Viewer, watchMs: number): Promise<number> {
  let { framesDecoded } = await viewer.perceive();
  let sinceMs = performance.now();
  let longestMs = 0;
  const endMs = sinceMs + watchMs;
  while (performance.now() < endMs) {
    const seen = await viewer.perceive();
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - sinceMs);
    if (seen.framesDecoded > framesDecoded) sinceMs = nowMs;
    framesDecoded = seen.framesDecoded;
    await sleep(50);
  }
  return longestMs;
}
