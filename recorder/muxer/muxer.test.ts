import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SourceEvent } from '../source-event.ts';
import { Collector, readBack } from './harness/collector.ts';
import { hello, sourceEvents, syntheticFrames } from './harness/rtp-source.ts';
import { Muxer, type MuxerOptions } from './muxer.ts';

const FLUSH_MS = 1000;

describe('A muxer', () => {
  test('makes a file of what is published, in chunks that are not older than the flush interval', async () => {
    const { collector, lateMs } = mux(sourceEvents(syntheticFrames(30_000)));
    const { audio, video } = await readBack(collector.file());
    assert.deepEqual([audio.length, video.length], [1500, 900]);
    assert.deepEqual(
      video.slice(0, 3).map(({ timeMs, keyFrame }) => [timeMs, keyFrame]),
      [
        [0, true],
        [33, false],
        [67, false],
      ],
    );
    assert.ok(lateMs <= FLUSH_MS, `${lateMs} ms`);
    assert.deepEqual(collector.gaps, []);
  });

  test('goes on behind what a dead one appended, with the same blocks as one that lives', async () => {
    const events = [hello(), ...sourceEvents(syntheticFrames(30_000))];
    const whole = mux(events.slice(1)).collector;
    for (const cut of [0.2, 0.5, 0.51, 0.77]) {
      const collector = new Collector();
      const first = new Muxer(optionsOf(collector));
      for (const event of events.slice(0, Math.floor(events.length * cut))) first.take(event);
      const second = new Muxer({ ...optionsOf(collector), resume: collector.left() });
      const replayFromMs = collector.replayFromMs.at(-1) ?? 0;
      const isTold = (event: SourceEvent) => event.type === 'hello' || event.type === 'track';
      for (const event of events) if (isTold(event) || event.atMs >= replayFromMs) second.take(event);
      second.end();
      assert.deepEqual(await readBack(collector.file()), await readBack(whole.file()), `cut at ${cut}`);
      assert.deepEqual(collector.gaps, []);
    }
  });
});

function optionsOf(sink: Collector, limits: Partial<MuxerOptions['limits']> = {}): MuxerOptions {
  const maxDurationMs = Number.POSITIVE_INFINITY;
  return { sink, limits: { flushIntervalMs: FLUSH_MS, maxDurationMs, resumeMs: 60_000, ...limits } };
}

function mux(events: readonly SourceEvent[]): { readonly collector: Collector; readonly lateMs: number } {
  const collector = new Collector();
  const muxer = new Muxer(optionsOf(collector));
  muxer.take(hello());
  let lateMs = 0;
  for (const event of events) {
    const before = collector.chunks.length;
    muxer.take(event);
    for (const { oldestAtMs } of collector.chunks.slice(before))
      lateMs = Math.max(lateMs, event.atMs - oldestAtMs);
  }
  muxer.end();
  return { collector, lateMs };
}
