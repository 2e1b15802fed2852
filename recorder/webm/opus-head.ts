/** Opus counts in this clock, whatever was captured (RFC 7845 section 5.1). */
export const OPUS_RATE_HZ = 48_000;
export const OPUS_CHANNELS = 2;

/**
 * What an encoder of the reference library delays by (its look-ahead of 6.5 ms). WebRTC's senders stamp
 * packets with the time of capture and say nothing of it.
 */
const PRE_SKIP_SAMPLES = 312;

export const OPUS_CODEC_DELAY_NS = (PRE_SKIP_SAMPLES * 1e9) / OPUS_RATE_HZ;
/** RFC 7845 section 4.6: 80 ms decoded ahead of where playing begins. */
export const OPUS_SEEK_PRE_ROLL_NS = 80_000_000;

/** Identification header, which is WebM's CodecPrivate of Opus (RFC 7845 section 5.1). */
export function opusHead(): Uint8Array {
  const head = Buffer.alloc(19);
  head.write('OpusHead');
  head[8] = 1;
  head[9] = OPUS_CHANNELS;
  head.writeUInt16LE(PRE_SKIP_SAMPLES, 10);
  head.writeUInt32LE(OPUS_RATE_HZ, 12);
  return head;
}
