/** One RTP packet; `payload` is a view of the bytes that it was parsed from. */
export interface RtpPacket {
  readonly ssrc: number;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  /** As on the wire: 32 bits. */
  readonly timestamp: number;
  readonly marker: boolean;
  /** Without padding; empty in a packet that is nothing else. */
  readonly payload: Uint8Array;
}

const FIXED_HEADER_BYTES = 12;

/**
 * Reads an RTP packet (RFC 3550 section 5.1). Contributing sources and header extensions of any form
 * (RFC 8285) are skipped.
 *
 * @returns undefined for what is no whole RTP packet
 */
export function parseRtpPacket(bytes: Uint8Array): RtpPacket | undefined {
  if (bytes.length < FIXED_HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint8(0);
  if (first >> 6 !== 2) return undefined;
  let start = FIXED_HEADER_BYTES + 4 * (first & 0x0f);
  if ((first & 0x10) !== 0) {
    if (start + 4 > bytes.length) return undefined;
    start += 4 + 4 * view.getUint16(start + 2);
  }
  let end = bytes.length;
  if (start > end) return undefined;
  if ((first & 0x20) !== 0) {
    const padding = view.getUint8(end - 1);
    if (padding === 0 || padding > end - start) return undefined;
    end -= padding;
  }
  const second = view.getUint8(1);
  return {
    ssrc: view.getUint32(8),
    payloadType: second & 0x7f,
    sequenceNumber: view.getUint16(2),
    timestamp: view.getUint32(4),
    marker: (second & 0x80) !== 0,
    payload: bytes.subarray(start, end),
  };
}
