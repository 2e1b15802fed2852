import type { MuxerRequest, SourceEvent } from './source-event.ts';

/**
 * How receiver and muxer speak over a byte stream: frames of a length (4 bytes, big-endian, of what follows),
 * a type (1 byte) and a body. Packets have a body of their own, `atMs` as a 64-bit float and then the packet;
 * all else is JSON.
 */
const LENGTH_BYTES = 4;
const TYPE_BYTES = 1;
const TIME_BYTES = 8;
/** The largest UDP packet fits; whoever sends more does not speak this. */
const MAX_FRAME_BYTES = 128 * 1024;

const JSON_FRAME = 0;
const PACKET_FRAMES = { rtp: 1, rtcp: 2 } as const;

const CONTROL_EVENTS: readonly string[] = ['hello', 'track', 'muted', 'ended', 'tick'];
const MUXER_REQUESTS: readonly string[] = ['key-frame', 'durable'];

export function encodeSourceEvent(event: SourceEvent): Uint8Array {
  if (event.type !== 'rtp' && event.type !== 'rtcp') return encodeJson(event);
  const frame = newFrame(PACKET_FRAMES[event.type], TIME_BYTES + event.packet.length);
  frame.writeDoubleBE(event.atMs, LENGTH_BYTES + TYPE_BYTES);
  frame.set(event.packet, LENGTH_BYTES + TYPE_BYTES + TIME_BYTES);
  return frame;
}

export function encodeMuxerRequest(request: MuxerRequest): Uint8Array {
  return encodeJson(request);
}

/**
 * @returns a function that takes the stream's bytes as they come, and returns the events that are complete
 *   with them. Packets are views of those bytes. It throws an Error for what is no such stream.
 */
export function sourceEventDecoder(): (bytes: Uint8Array) => SourceEvent[] {
  return decoder((type, body): SourceEvent => {
    switch (type) {
      case PACKET_FRAMES.rtp:
        return { type: 'rtp', ...packetOf(body) };
      case PACKET_FRAMES.rtcp:
        return { type: 'rtcp', ...packetOf(body) };
      default:
        return messageOf<SourceEvent>(CONTROL_EVENTS, type, body);
    }
  });
}

/** As `sourceEventDecoder`, for what the muxer sends. */
export function muxerRequestDecoder(): (bytes: Uint8Array) => MuxerRequest[] {
  return decoder((type, body) => messageOf<MuxerRequest>(MUXER_REQUESTS, type, body));
}

function encodeJson(value: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(value));
  const frame = newFrame(JSON_FRAME, body.length);
  frame.set(body, LENGTH_BYTES + TYPE_BYTES);
  return frame;
}

function newFrame(type: number, bodyBytes: number): Buffer {
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + TYPE_BYTES + bodyBytes);
  frame.writeUInt32BE(TYPE_BYTES + bodyBytes, 0);
  frame[LENGTH_BYTES] = type;
  return frame;
}

function packetOf(body: Buffer): { readonly packet: Uint8Array; readonly atMs: number } {
  return { packet: body.subarray(TIME_BYTES), atMs: body.readDoubleBE(0) };
}

function messageOf<T>(types: readonly string[], frameType: number, body: Buffer): T {
  if (frameType !== JSON_FRAME) throw new Error(`a frame of unknown type ${frameType}`);
  const message: unknown = JSON.parse(body.toString());
  const isOne =
    typeof message === 'object' &&
    message !== null &&
    'type' in message &&
    typeof message.type === 'string' &&
    types.includes(message.type);
  if (!isOne) throw new Error('a message of unknown type');
  // The other end is the same program, of the same version.
  return message as T;
}

function decoder<T>(decode: (type: number, body: Buffer) => T): (bytes: Uint8Array) => T[] {
  let rest: Buffer = Buffer.alloc(0);
  return (bytes) => {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const all: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const decoded: T[] = [];
    let at = 0;
    while (all.length - at >= LENGTH_BYTES) {
      const length = all.readUInt32BE(at);
      if (length < TYPE_BYTES || length > MAX_FRAME_BYTES) throw new Error(`a frame of ${length} bytes`);
      const end = at + LENGTH_BYTES + length;
      if (end > all.length) break;
      const type = all.readUInt8(at + LENGTH_BYTES);
      decoded.push(decode(type, all.subarray(at + LENGTH_BYTES + TYPE_BYTES, end)));
      at = end;
    }
    rest = all.subarray(at);
    return decoded;
  };
}
