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
  readonly codec?: 'VP8' | 'VP9';
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
  const { firstTrack = 1, producer = 'publisher', codec = 'VP8', muted = {} } = options;
  const common = (track: number) => ({ track, payloadType: 96 + track, ssrcs: [5000 + track] });
  return {
    audio: {
      ...common(firstTrack),
      ...{ kind: 'audio', codec: 'opus', clockRateHz: 48_000, producerId: `${producer} sound` },
      muted: muted.audio ?? false,
    },
    video: {
      ...common(firstTrack + 1),
      ...{ kind: 'video', codec, clockRateHz: 90_000, producerId: `${producer} picture` },
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
      : PAYLOADS[tracks.video.codec === 'VP9' ? 'VP9' : 'VP8'](data)) {
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

/** Sound and pictures without content, a key frame at the start and every `keyFrameMs`. */
export function syntheticFrames(
  toMs: number,
  {
    fromMs = 0,
    keyFrameMs = 10_000,
    pictureBytes = 3000,
    soundBytes = 80,
    codec = 'VP8' as 'VP8' | 'VP9',
  } = {},
): EncodedFrame[] {
  const frames: EncodedFrame[] = [];
  for (let n = 0; fromMs + n * 20 < toMs; n += 1) {
    const data = Buffer.alloc(soundBytes, n % 251);
    data[0] = 0xfc;
    frames.push({ kind: 'audio', timeMs: fromMs + n * 20, data });
  }
  for (let n = 0; fromMs + (n * 100) / 3 < toMs; n += 1) {
    const timeMs = fromMs + (n * 100) / 3;
    const data = Buffer.alloc(pictureBytes, (n % 250) + 1);
    const isKey = n % Math.round((keyFrameMs * 3) / 100) === 0;
    HEADERS[codec][isKey ? 'key' : 'delta'].copy(data);
    frames.push({ kind: 'video', timeMs, data });
  }
  return frames.toSorted((a, b) => a.timeMs - b.timeMs);
}

/** Of pictures of 640 x 360: RFC 6386 section 9.1, and VP9's bitstream specification, section 6.2. */
const HEADERS = {
  VP8: { key: Buffer.from('1000009d012a80026801', 'hex'), delta: Buffer.from('110000', 'hex') },
  VP9: { key: Buffer.from('824983422027f01670', 'hex'), delta: Buffer.from('8600', 'hex') },
} as const;

/** Whether an event is a packet of a publisher that was given no options. */
export function isPacketOf(event: SourceEvent, kind: 'audio' | 'video'): boolean {
  return event.type === 'rtp' && ((event.packet[1] ?? 0) & 0x7f) === tracksOf()[kind].payloadType;
}

function rtpOf({ clockRateHz, kind }: SourceTrack, timeMs: number): number {
  const first = kind === 'audio' ? 2 ** 32 - 48_000 : 2 ** 32 - 180_000;
  return (first + Math.round((timeMs * clockRateHz) / 1000)) % 2 ** 32;
}

interface Payload {
  readonly payload: Uint8Array;
  readonly marker: boolean;
}

/** RFC 7741 section 4.2: a descriptor of one byte, `S` on the first packet of a frame. */
function vp8Payloads(data: Uint8Array): Payload[] {
  const payloads: Payload[] = [];
  for (let at = 0; at < data.length; at += PAYLOAD_BYTES) {
    const payload = Buffer.concat([Buffer.of(at === 0 ? 0x10 : 0), data.subarray(at, at + PAYLOAD_BYTES)]);
    payloads.push({ payload, marker: at + PAYLOAD_BYTES >= data.length });
  }
  return payloads;
}

/** RFC 9628 section 4.2: a layer frame in one packet, of a key frame or one that depends on another. */
function vp9Payloads(data: Uint8Array): Payload[] {
  const isKey = ((data[0] ?? 0) & 0x04) === 0;
  return [{ payload: Buffer.concat([Buffer.of(isKey ? 0x0c : 0x4c), data]), marker: true }];
}

const PAYLOADS = { VP8: vp8Payloads, VP9: vp9Payloads } as const;

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
