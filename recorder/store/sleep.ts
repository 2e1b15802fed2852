import { setTimeout } from 'node:timers/promises';

/** Resolves after the time, or when the signal comes. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** Between half of the time and all of it, so that many recorders do not call at once. */
export const sleepAbout: Sleep = async (ms, signal) => {
  await setTimeout(ms * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
};
