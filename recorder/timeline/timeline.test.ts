import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TimedBlock } from './block.ts';
import {
  capturedMs,
  inOrder,
  type PublisherOptions,
  play,
  publisher,
  type Step,
  ticks,
} from './harness/publisher.ts';
import { Timeline } from './timeline.ts';

describe('A timeline', () => {
  test('begins with a key frame of the picture, and with sound at the same time', () => {
    const { sound, picture } = record({ toMs: 2000, pictureDelayMs: 300 });
    assert.deepEqual([sound[0]?.timeMs, picture[0]?.timeMs, picture[0]?.keyFrame], [0, 0, true]);
  });

  test('keeps sound and picture within 40 ms for an hour of clocks that drift apart', () => {
    const chance = random(1);
    const recorded = record({
      ...{ toMs: 3_600_000, soundPpm: 100, picturePpm: -100 },
      ...{ jitterMs: 30, reportJitterMs: 20, random: chance },
    });
    assert.ok(worstSkewMs(recorded) <= 40, `${worstSkewMs(recorded)} ms`);
    assertContinuous(recorded.sound);
  });
});

interface Recorded {
  readonly sound: TimedBlock[];
  readonly picture: TimedBlock[];
  readonly timeline: Timeline;
}

function record(options: PublisherOptions): Recorded {
  return recordSteps(inOrder(publisher(options), ticks(0, options.toMs + 1000)));
}

function recordSteps(steps: readonly Step[]): Recorded {
  const sound: TimedBlock[] = [];
  const picture: TimedBlock[] = [];
  const emit = (block: TimedBlock) => (block.kind === 'audio' ? sound : picture).push(block);
  const timeline = new Timeline({ emit, maxAwayMs: 60_000 });
  timeline.hello('receiver', Date.UTC(2026, 0, 1), 0);
  play(timeline, steps);
  return { sound, picture, timeline };
}

function worstSkewMs({ sound, picture }: Recorded): number {
  let at = 0;
  let worst = 0;
  for (const { data, timeMs } of picture) {
    const captured = capturedMs(data) ?? 0;
    const isBefore = (block: TimedBlock | undefined) =>
      block !== undefined && (capturedMs(block.data) ?? Number.NEGATIVE_INFINITY) <= captured;
    while (isBefore(sound[at + 1])) at += 1;
    const heard = sound[at];
    const heardMs = heard && capturedMs(heard.data);
    if (heard === undefined || heardMs === undefined) continue;
    worst = Math.max(worst, Math.abs(timeMs - captured - (heard.timeMs - heardMs)));
  }
  return worst;
}

function assertContinuous(sound: readonly TimedBlock[]): void {
  for (const [i, block] of sound.entries()) {
    const next = sound[i + 1];
    if (next === undefined) return;
    const holeMs = next.timeMs - block.timeMs - durationMs(block.data);
    assert.ok(Math.abs(holeMs) <= 3, `${holeMs} ms between ${block.timeMs} and ${next.timeMs} ms`);
  }
}

function durationMs(data: Uint8Array): number {
  return { 248: 20, 240: 10, 232: 5, 224: 2.5 }[data[0] ?? 0] ?? 20;
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
