/**
 * `b=` lines of a video section: TIAS in bit/s (RFC 3890), and AS in kbit/s (RFC 8866 section 5.8) for those
 * who know only that.
 */
export function bandwidthLines(maxBitrateBps: number | undefined): { type: 'TIAS' | 'AS'; limit: number }[] {
  if (maxBitrateBps === undefined || maxBitrateBps < 1) return [];
  return [
    { type: 'TIAS', limit: Math.floor(maxBitrateBps) },
    { type: 'AS', limit: Math.ceil(maxBitrateBps / 1000) },
  ];
}
