import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MuxerRequest, SourceEvent } from './source-event.ts';
import {
  encodeMuxerRequest,
  encodeSourceEvent,
  muxerRequestDecoder,
  sourceEventDecoder,
} from './source-stream.ts';

const EVENTS: readonly SourceEvent[] = [
  { type: 'hello', receiver: 'r1', unixMs: 1_790_000_000_000.5, atMs: 0.125 },
  {
    type: 'track',
    atMs: 1,
    track: 0,
    kind: 'video',
    codec: 'VP8',
    clockRateHz: 90_000,
    producerId: 'p',
    payloadType: 101,
    ssrcs: [1, 4_294_967_295],
    muted: false,
  },
  { type: 'rtp', packet: Uint8Array.of(128, 101, 0, 1), atMs: 1234.567 },
  { type: 'rtcp', packet: new Uint8Array(65_535).fill(7), atMs: 1235 },
  { type: 'muted', track: 0, muted: true, atMs: 1236 },
  { type: 'tick', atMs: 1300 },
  { type: 'ended', track: 0, atMs: 1301 },
];

const REQUESTS: readonly MuxerRequest[] = [
  { type: 'key-frame', track: 3 },
  { type: 'durable', atMs: 99.5 },
];

const plain = (events: readonly SourceEvent[]) =>
  events.map((event) => ('packet' in event ? { ...event, packet: [...event.packet] } : event));

describe('The stream between receiver and muxer', () => {
  const stream = Buffer.concat(EVENTS.map(encodeSourceEvent));

  for (const pieceBytes of [1, 3, 1000, stream.length]) {
    test(`gives back every event, in order, from pieces of ${pieceBytes} bytes`, () => {
      const decode = sourceEventDecoder();
      const decoded: SourceEvent[] = [];
      // What goes byte by byte is the beginning only: the large packet would take a second.
      const whole = pieceBytes === 1 ? 500 : stream.length;
      for (let at = 0; at < whole; at += pieceBytes)
        decoded.push(...decode(stream.subarray(at, at + pieceBytes)));
      if (whole < stream.length) decoded.push(...decode(stream.subarray(whole)));
      assert.deepEqual(plain(decoded), plain(EVENTS));
    });
  }

  test('gives back every request', () => {
    const decode = muxerRequestDecoder();
    assert.deepEqual(decode(Buffer.concat(REQUESTS.map(encodeMuxerRequest))), REQUESTS);
  });

  const broken: readonly [string, Uint8Array][] = [
    ['a frame longer than any packet', Uint8Array.of(0, 16, 0, 0)],
    ['a frame without a type', Uint8Array.of(0, 0, 0, 0)],
    ['a type that there is not', Uint8Array.of(0, 0, 0, 2, 9, 0)],
    ['a packet without its time', Uint8Array.of(0, 0, 0, 2, 1, 0)],
    ['text that is no JSON', Uint8Array.of(0, 0, 0, 2, 0, 0x7b)],
    ['an event that there is not', encodeMuxerRequest({ type: 'durable', atMs: 1 })],
  ];
  for (const [what, bytes] of broken) {
    test(`refuses ${what}`, () => assert.throws(() => sourceEventDecoder()(bytes)));
  }
});
