import type { MediaServerSettings } from './settings.ts';

/**
 * What a publisher may send, in bit/s. 0 and absent mean the default; what is above the limit is lowered,
 * never refused.
 */
export function bitrateLimit(
  wantedBps: number | undefined,
  { defaultBitrateBps, maxBitrateBps }: Pick<MediaServerSettings, 'defaultBitrateBps' | 'maxBitrateBps'>,
): number {
  const wanted = wantedBps || defaultBitrateBps || maxBitrateBps;
  return Math.min(Math.round(wanted), maxBitrateBps);
}
