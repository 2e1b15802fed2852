import type { SenderReport } from '../frame.ts';

const SENDER_REPORT = 200;
const HEADER_BYTES = 4;
const SENDER_INFO_BYTES = 24;

/**
 * Reads the sender reports of a compound RTCP packet (RFC 3550 sections 6.1 and 6.4.1); everything else in it
 * is skipped, and what follows a broken part. Reports of a sender without a wall clock (NTP time 0) are left out.
 */
export function parseSenderReports(bytes: Uint8Array, atMs: number): readonly SenderReport[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reports: SenderReport[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= bytes.length) {
    const length = HEADER_BYTES * (view.getUint16(at + 2) + 1);
    if (view.getUint8(at) >> 6 !== 2 || at + length > bytes.length) break;
    if (view.getUint8(at + 1) === SENDER_REPORT && length >= HEADER_BYTES + SENDER_INFO_BYTES) {
      const seconds = view.getUint32(at + 8);
      const fraction = view.getUint32(at + 12);
      if (seconds !== 0 || fraction !== 0) {
        reports.push({
          ssrc: view.getUint32(at + 4),
          ntpMs: seconds * 1000 + (fraction / 2 ** 32) * 1000,
          rtpTimestamp: view.getUint32(at + 16),
          atMs,
        });
      }
    }
    at += length;
  }
  return reports;
}
