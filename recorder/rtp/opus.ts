/** Of Opus in RTP, whatever the sound inside (RFC 7587 section 4.1). */
export const OPUS_CLOCK_HZ = 48_000;

const SILK = [480, 960, 1920, 2880];
const HYBRID = [480, 960];
const CELT = [120, 240, 480, 960];
/** RFC 6716 section 3.2.5: a packet holds at most 120 ms. */
const MAX_DURATION = 5760;

/**
 * How long an Opus packet sounds, in samples of 48 kHz, by its first bytes (RFC 6716 section 3.1). A packet of DTX
 * is one too: it may be its first byte alone.
 *
 * @returns undefined for what is no Opus packet
 */
export function opusDuration(packet: Uint8Array): number | undefined {
  const toc = packet[0];
  if (toc === undefined) return undefined;
  const duration = frameDuration(toc >> 3) * frameCount(toc & 3, packet);
  return duration > 0 && duration <= MAX_DURATION ? duration : undefined;
}

function frameDuration(config: number): number {
  if (config < 12) return SILK[config & 3] ?? 0;
  if (config < 16) return HYBRID[config & 1] ?? 0;
  return CELT[config & 3] ?? 0;
}

function frameCount(code: number, packet: Uint8Array): number {
  if (code === 0) return 1;
  return code === 3 ? (packet[1] ?? 0) & 0x3f : 2;
}
