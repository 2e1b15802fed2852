import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SourceEvent } from '../source-event.ts';
import { sourceEventDecoder } from '../source-stream.ts';
import { EventLog } from './event-log.ts';

const HELLO = { type: 'hello', receiver: 'r', unixMs: 1000, atMs: 0 } as const;

function track(number: number, atMs: number): SourceEvent {
  return {
    type: 'track',
    atMs,
    track: number,
    kind: 'audio',
    codec: 'opus',
    clockRateHz: 48_000,
    producerId: `p${number}`,
    payloadType: 100,
    ssrcs: [number + 1],
    muted: false,
  };
}

function rtp(atMs: number, bytes = 10): SourceEvent {
  return { type: 'rtp', packet: new Uint8Array(bytes), atMs };
}

function logOf(events: readonly SourceEvent[], maxBytes = 1_000_000): EventLog {
  const log = new EventLog({ hello: HELLO, maxBytes });
  for (const event of events) log.append(event);
  return log;
}

/** What a muxer that connects now is told, in short. */
function told(log: EventLog): string[] {
  const decode = sourceEventDecoder();
  const frames = [...log.preamble()];
  for (let number = log.first; number < log.next; number++) frames.push(log.frame(number));
  return frames.flatMap((frame) => decode(frame)).map(inShort);
}

function inShort(event: SourceEvent): string {
  if (event.type === 'track') return `track ${event.track}${event.muted ? ' muted' : ''}`;
  if (event.type === 'ended') return `ended ${event.track}`;
  if (event.type === 'muted') return `${event.muted ? 'mute' : 'unmute'} ${event.track}`;
  return event.type === 'hello' ? 'hello' : `${event.type} at ${event.atMs}`;
}

describe('The events that a receiver keeps', () => {
  test('are all there are until they are durable, each once and in order', () => {
    const log = logOf([track(0, 1), rtp(2), rtp(3), { type: 'tick', atMs: 4 }]);
    assert.deepEqual(told(log), ['hello', 'track 0', 'rtp at 2', 'rtp at 3', 'tick at 4']);
    log.durable(3);
    assert.deepEqual(told(log), ['hello', 'track 0', 'rtp at 3', 'tick at 4']);
    assert.deepEqual([log.first, log.next], [2, 4]);
    log.append(rtp(5));
    log.durable(100);
    assert.deepEqual(told(log), ['hello', 'track 0']);
    assert.deepEqual([log.first, log.next, log.bytes], [5, 5, 0]);
  });

  const mute = (muted: boolean, atMs: number): SourceEvent => ({ type: 'muted', track: 0, muted, atMs });
  const events = [
    track(0, 1),
    track(1, 2),
    mute(true, 3),
    rtp(4),
    mute(false, 5),
    { type: 'ended', track: 0, atMs: 6 },
  ] as const;
  const cases: readonly [number, readonly string[]][] = [
    [1, ['track 0', 'track 1', 'mute 0', 'rtp at 4', 'unmute 0', 'ended 0']],
    [2, ['track 0', 'track 1', 'mute 0', 'rtp at 4', 'unmute 0', 'ended 0']],
    [4, ['track 0 muted', 'track 1', 'rtp at 4', 'unmute 0', 'ended 0']],
    [6, ['track 0', 'track 1', 'ended 0']],
    [7, ['track 1']],
  ];
  for (const [atMs, expected] of cases) {
    test(`come after the tracks as they stood then, where all before ${atMs} is durable`, () => {
      const log = logOf(events);
      log.durable(atMs);
      assert.deepEqual(told(log), ['hello', ...expected]);
    });
  }

  test('go, oldest first, when they take more than they may, durable or not', () => {
    const log = logOf([track(0, 0)], 5000);
    for (let atMs = 1; atMs <= 100; atMs++) log.append(rtp(atMs, 400));
    assert.ok(log.bytes <= 5000 && log.bytes > 4000, `${log.bytes} bytes`);
    const [hello, first, oldest, ...others] = told(log);
    assert.deepEqual([hello, first, others.at(-1)], ['hello', 'track 0', 'rtp at 100']);
    assert.equal(oldest, `rtp at ${100 - others.length}`);
    assert.throws(() => log.frame(log.first - 1), RangeError);
  });

  test('are found by their numbers after many have gone', () => {
    const log = logOf([]);
    for (let atMs = 0; atMs < 20_000; atMs++) {
      log.append({ type: 'tick', atMs });
      log.durable(atMs - 5);
    }
    assert.deepEqual([log.first, log.next], [19_994, 20_000]);
    assert.deepEqual(told(log).slice(1, 3), ['tick at 19994', 'tick at 19995']);
  });
});
