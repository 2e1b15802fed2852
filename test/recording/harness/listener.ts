import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { parseRtpPacket } from '../../../recorder/rtp/packet.ts';
import { parseVp8Descriptor } from '../../../recorder/rtp/vp8.ts';
import type { MuxerRequest, SourceEvent } from '../../../recorder/source-event.ts';
import { encodeMuxerRequest, sourceEventDecoder } from '../../../recorder/source-stream.ts';

export type Track = Extract<SourceEvent, { readonly type: 'track' }>;
type Of<Type extends SourceEvent['type']> = Extract<SourceEvent, { readonly type: Type }>;

/** Stands where a muxer would: keeps all that a receiver tells. */
export class Listener {
  readonly events: SourceEvent[] = [];
  readonly socket: Socket;
  closed = false;

  static async connect(path: string): Promise<Listener> {
    const socket = connect(path);
    await once(socket, 'connect');
    return new Listener(socket);
  }

  private constructor(socket: Socket) {
    this.socket = socket;
    const decode = sourceEventDecoder();
    socket.on('data', (bytes) => this.events.push(...decode(bytes)));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
    });
  }

  of<Type extends SourceEvent['type']>(type: Type): Of<Type>[] {
    return this.events.filter((event): event is Of<Type> => event.type === type);
  }

  /** Packets of a track, or of one of its encodings. */
  packets(track: Track, ssrc?: number): RtpPacket[] {
    return this.of('rtp')
      .map(({ packet, atMs }) => rtpOf(packet, atMs))
      .filter((packet) => (ssrc === undefined ? track.ssrcs.includes(packet.ssrc) : packet.ssrc === ssrc));
  }

  /** The newest track of a kind that has not ended. @throws Error when there is none */
  track(kind: Track['kind']): Track {
    const ended = new Set(this.of('ended').map(({ track }) => track));
    const track = this.of('track').findLast((each) => each.kind === kind && !ended.has(each.track));
    if (!track) throw new Error(`there is no ${kind} track`);
    return track;
  }

  /** When the key frames of a VP8 track began to come. */
  keyFramesAtMs(track: Track): number[] {
    return this.packets(track)
      .filter(({ bytes }) => beginsKeyFrame(bytes))
      .map(({ atMs }) => atMs);
  }

  /** SSRCs of which there are sender reports. */
  reported(): Set<number> {
    return new Set(this.of('rtcp').flatMap(({ packet }) => senderReportSsrcs(packet)));
  }

  ask(request: MuxerRequest): void {
    this.socket.write(encodeMuxerRequest(request));
  }

  close(): void {
    this.socket.destroy();
  }
}

export interface RtpPacket {
  readonly atMs: number;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly bytes: Uint8Array;
}

/** RFC 3550 section 5.1. */
function rtpOf(bytes: Uint8Array, atMs: number): RtpPacket {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    atMs,
    payloadType: view.readUInt8(1) & 0x7f,
    sequenceNumber: view.readUInt16BE(2),
    timestamp: view.readUInt32BE(4),
    ssrc: view.readUInt32BE(8),
    bytes,
  };
}

/** RFC 7741 sections 4.2 and 4.3: the first packet of a frame, whose payload header has P = 0. */
function beginsKeyFrame(bytes: Uint8Array): boolean {
  const payload = parseRtpPacket(bytes)?.payload;
  const descriptor = payload && parseVp8Descriptor(payload);
  if (!payload || !descriptor?.starts) return false;
  return ((payload[descriptor.bytes] ?? 1) & 1) === 0;
}

/**
 * How many sequence numbers are missing, whatever the order in which they came, between the first packet and
 * the last that came before `beforeMs`. What came for them later is not missing.
 */
export function missing(packets: readonly RtpPacket[], beforeMs = Number.POSITIVE_INFINITY): number {
  let last = packets[0]?.sequenceNumber ?? 0;
  // Unwrapped: each next one is taken for the nearest that has its lower 16 bits.
  const numbers = packets.map(({ sequenceNumber }) => {
    last += ((sequenceNumber - last + 0x8000) & 0xffff) - 0x8000;
    return last;
  });
  const settled = numbers.filter((_, index) => (packets[index]?.atMs ?? 0) < beforeMs);
  const [from, to] = [Math.min(...settled), Math.max(...settled)];
  return to - from + 1 - new Set(numbers.filter((number) => number >= from && number <= to)).size;
}

/** RFC 3550 section 6.4.1. */
function senderReportSsrcs(compound: Uint8Array): number[] {
  const view = Buffer.from(compound.buffer, compound.byteOffset, compound.byteLength);
  const ssrcs: number[] = [];
  for (let at = 0; at + 8 <= view.length; at += (view.readUInt16BE(at + 2) + 1) * 4) {
    if (view[at + 1] === 200) ssrcs.push(view.readUInt32BE(at + 4));
  }
  return ssrcs;
}
