import { readFileSync } from 'node:fs';
import type { SourceTrack } from '../../source-event.ts';
import { parseRtpPacket, type RtpPacket } from '../packet.ts';

/** What a browser sent: packets as they came off the wire, each with the time it arrived. */
export interface Capture {
  readonly track: SourceTrack;
  readonly packets: readonly CapturedPacket[];
}

export interface CapturedPacket {
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

/** A packet that was parsed; times go on where the capture's do. */
export interface ArrivingPacket {
  readonly atMs: number;
  readonly packet: RtpPacket;
}

const NEWLINE = 10;
const RECORD_BYTES = 6;

/**
 * A line of JSON, the track; then for each packet its arrival in ms (32 bits), its length (16 bits) and itself.
 * Written by test/recording/harness/capture-rtp.ts.
 */
export function encodeCapture({ track, packets }: Capture): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`${JSON.stringify(track)}\n`)];
  for (const { atMs, bytes } of packets) {
    const head = Buffer.alloc(RECORD_BYTES);
    head.writeUInt32BE(Math.round(atMs), 0);
    head.writeUInt16BE(bytes.length, 4);
    parts.push(head, bytes);
  }
  return Buffer.concat(parts);
}

export function readCapture(name: string): Capture {
  const file = readFileSync(new URL(`./captures/${name}.rtp`, import.meta.url));
  const headEnd = file.indexOf(NEWLINE);
  const track: SourceTrack = JSON.parse(file.toString('utf8', 0, headEnd));
  const packets: CapturedPacket[] = [];
  for (let at = headEnd + 1; at < file.length; ) {
    const end = at + RECORD_BYTES + file.readUInt16BE(at + 4);
    packets.push({ atMs: file.readUInt32BE(at), bytes: file.subarray(at + RECORD_BYTES, end) });
    at = end;
  }
  return { track, packets };
}

export function parseCapture({ packets }: Capture): ArrivingPacket[] {
  return packets.flatMap(({ atMs, bytes }) => {
    const packet = parseRtpPacket(bytes);
    return packet === undefined ? [] : [{ atMs, packet }];
  });
}
