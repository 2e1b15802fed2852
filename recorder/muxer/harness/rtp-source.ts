import type { SourceEvent, SourceTrack } from '../../source-event.ts';

/** A frame as an encoder gives it. */
export interface EncodedFrame {
  readonly kind: 'audio' | 'video';
  readonly timeMs: number;
  readonly data: Uint8Array;
}

export interface RtpSourceOptions {
  readonly receiver?: string;
  readonly producer?: string;
  readonly firstTrack?: number;
  /** Arrival, by the receiver's clock, of what was captured at 0. */
  readonly fromMs?: number;
  readonly muted?: { readonly audio?: boolean; readonly video?: boolean };
}

const PAYLOAD_BYTES = 1100;
const NTP_MS = 3.9e12;
const SENDER_REPORT_MS = 1000;

export const HELLO_UNIX_MS = Date.UTC(2026, 10, 23, 12);

export function hello(receiver = 'receiver', atMs = 0): SourceEvent {
  return { type: 'hello', receiver, unixMs: HELLO_UNIX_MS + atMs, atMs };
}

export function tracksOf(options: RtpSourceOptions = {}): {
  readonly audio: SourceTrack;
  readonly video: SourceTrack;
} {
  const { firstTrack = 1, producer = 'publisher', muted = {} } = options;
  const common = (track: number) => ({ track, payloadType: 96 + track, ssrcs: [5000 + track] });
  return {
    audio: {
      ...common(firstTrack),
      ...{ kind: 'audio', codec: 'opus', clockRateHz: 48_000, producerId: `${producer} sound` },
      muted: muted.audio ?? false,
    },
    video: {
      ...common(firstTrack + 1),
      ...{ kind: 'video', codec: 'VP8', clockRateHz: 90_000, producerId: `${producer} picture` },
      muted: muted.video ?? false,
    },
  };
}

/** What a receiver tells of a publisher that sends these frames, of Opus and VP8: tracks, packets, reports, ticks. */
export function sourceEvents(frames: readonly EncodedFrame[], options: RtpSourceOptions = {}): SourceEvent[] {
  const { fromMs = 0 } = options;
  const tracks = tracksOf(options);
  const events: SourceEvent[] = [];
  const sequence = { audio: 65_000, video: 65_500 };
  const endMs = Math.max(0, ...frames.map(({ timeMs }) => timeMs));
  for (const { kind, timeMs, data } of frames) {
    const track = tracks[kind];
    const timestamp = rtpOf(track, timeMs);
    for (const { payload, marker } of kind === 'audio'
      ? [{ payload: data, marker: false }]
      : vp8Payloads(data)) {
      const packet = rtpPacket(track, sequence[kind]++, timestamp, marker, payload);
      events.push({ type: 'rtp', packet, atMs: fromMs + timeMs });
    }
  }
  for (let timeMs = SENDER_REPORT_MS; timeMs < endMs; timeMs += SENDER_REPORT_MS) {
    for (const track of [tracks.audio, tracks.video]) {
      if (!frames.some(({ kind }) => kind === track.kind)) continue;
      const packet = senderReport(track, NTP_MS + fromMs + timeMs, rtpOf(track, timeMs));
      events.push({ type: 'rtcp', packet, atMs: fromMs + timeMs });
    }
  }
  for (let timeMs = 0; timeMs <= endMs; timeMs += 100) events.push({ type: 'tick', atMs: fromMs + timeMs });
  const begins = [tracks.audio, tracks.video]
    .filter(({ kind, muted }) => muted || frames.some((frame) => frame.kind === kind))
    .map((track): SourceEvent => ({ type: 'track', atMs: fromMs, ...track }));
  return [...begins, ...events.toSorted((a, b) => a.atMs - b.atMs)];
}

/** Sound of `bytes` bytes a packet and pictures of VP8 of no content, a key frame at the start and every `keyFrameMs`. */
export function syntheticFrames(
  toMs: number,
  { fromMs = 0, keyFrameMs = 10_000, pictureBytes = 3000, soundBytes = 80 } = {},
): EncodedFrame[] {
  const frames: EncodedFrame[] = [];
  for (let n = 0; fromMs + n * 20 < toMs; n += 1) {
    const data = Buffer.alloc(soundBytes, n % 251);
    data[0] = 0xfc;
    frames.push({ kind: 'audio', timeMs: fromMs + n * 20, data });
  }
  for (let n = 0; fromMs + (n * 100) / 3 < toMs; n += 1) {
    const timeMs = fromMs + (n * 100) / 3;
    const data = Buffer.alloc(pictureBytes, n % 251);
    const isKey = n % Math.round((keyFrameMs * 3) / 100) === 0;
    // RFC 6386 section 9.1: frame tag, and of a key frame start code and size.
    if (isKey) Buffer.from([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01]).copy(data);
    else Buffer.from([0x11, 0, 0]).copy(data);
    frames.push({ kind: 'video', timeMs, data });
  }
  return frames.toSorted((a, b) => a.timeMs - b.timeMs);
}

function rtpOf({ clockRateHz, kind }: SourceTrack, timeMs: number): number {
  const first = kind === 'audio' ? 2 ** 32 - 48_000 : 2 ** 32 - 180_000;
  return (first + Math.round((timeMs * clockRateHz) / 1000)) % 2 ** 32;
}

/** RFC 7741 section 4.2: a descriptor of one byte, `S` on the first packet of a frame. */
function vp8Payloads(data: Uint8Array): { readonly payload: Uint8Array; readonly marker: boolean }[] {
  const payloads = [];
  for (let at = 0; at < data.length; at += PAYLOAD_BYTES) {
    const payload = Buffer.concat([Buffer.of(at === 0 ? 0x10 : 0), data.subarray(at, at + PAYLOAD_BYTES)]);
    payloads.push({ payload, marker: at + PAYLOAD_BYTES >= data.length });
  }
  return payloads;
}

function rtpPacket(
  { payloadType, ssrcs: [ssrc = 0] }: SourceTrack,
  sequenceNumber: number,
  timestamp: number,
  marker: boolean,
  payload: Uint8Array,
): Uint8Array {
  const packet = Buffer.alloc(12 + payload.length);
  packet[0] = 0x80;
  packet[1] = payloadType | (marker ? 0x80 : 0);
  packet.writeUInt16BE(sequenceNumber % 2 ** 16, 2);
  packet.writeUInt32BE(timestamp, 4);
  packet.writeUInt32BE(ssrc, 8);
  packet.set(payload, 12);
  return packet;
}

function senderReport({ ssrcs: [ssrc = 0] }: SourceTrack, ntpMs: number, timestamp: number): Uint8Array {
  const packet = Buffer.alloc(28);
  packet[0] = 0x80;
  packet[1] = 200;
  packet.writeUInt16BE(6, 2);
  packet.writeUInt32BE(ssrc, 4);
  packet.writeUInt32BE(Math.floor(ntpMs / 1000), 8);
  packet.writeUInt32BE(Math.floor(((ntpMs % 1000) / 1000) * 2 ** 32), 12);
  packet.writeUInt32BE(timestamp, 16);
  return packet;
}
