import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SourceEvent } from '../source-event.ts';
import { Collector, readBack } from './harness/collector.ts';
import { hello, isPacketOf, sourceEvents, syntheticFrames, tracksOf } from './harness/rtp-source.ts';
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
    const [track] = collector.left().tracks;
    assert.deepEqual([track?.codec, track?.width, track?.height], ['VP8', 640, 360]);
    assert.deepEqual(
      collector.chunks.flatMap(({ cues }) => cues.map(({ timeMs }) => timeMs)),
      [0, 10_000, 20_000],
    );
  });

  test('goes on behind what a dead one appended, with the same blocks as one that lives', async () => {
    const events = [hello(), ...sourceEvents(syntheticFrames(30_000))];
    const whole = mux(events.slice(1)).collector;
    for (const cut of [0.2, 0.5, 0.51, 0.77]) {
      const collector = new Collector();
      muxerOf(collector, events.slice(0, Math.floor(events.length * cut)));
      const second = new Muxer({ ...optionsOf(collector), resume: collector.left() });
      for (const event of replayed(events, collector)) second.take(event);
      second.end();
      assert.deepEqual(await readBack(collector.file()), await readBack(whole.file()), `cut at ${cut}`);
      assert.deepEqual(collector.gaps, []);
    }
  });

  test('rolls a full file over at a key frame: sound and picture go on without a hole', async () => {
    const collector = new Collector();
    collector.maxFileBytes = 1_300_000;
    const events = sourceEvents(syntheticFrames(40_000, { keyFrameMs: 3000 }));
    muxerOf(collector, [hello(), ...delayed(events, 'audio', 300)]).end();
    assert.equal(collector.files.length, 3);
    const files = await Promise.all(collector.files.map((_, i) => readBack(collector.file(i))));
    for (const [i, { audio, video }] of files.entries()) {
      assert.deepEqual([video[0]?.timeMs, video[0]?.keyFrame], [0, true]);
      assert.ok((audio[0]?.timeMs ?? 99) <= 20, `${audio[0]?.timeMs}`);
      const rollMs = collector.rolls[i];
      if (rollMs === undefined) continue;
      const lastMs = audio.at(-1)?.timeMs ?? 0;
      assert.ok(rollMs - lastMs <= 20 && rollMs > lastMs, `sound until ${lastMs} of ${rollMs} ms`);
    }
    const count = (kind: 'audio' | 'video') => files.reduce((sum, file) => sum + file[kind].length, 0);
    assert.equal(count('video'), 1200);
    // It came 300 ms later than the picture, which the first reports found out.
    assert.ok(Math.abs(count('audio') - 2000) <= 20, `${count('audio')}`);
    const starts = collector.files.map((chunks) => chunks[0]?.state.startedAtMs ?? 0);
    assert.deepEqual(
      starts.slice(1).map((ms, i) => ms - (starts[i] ?? 0)),
      collector.rolls,
    );
  });

  test('goes on from a full file that has no successor yet, with the next one', async () => {
    const collector = new Collector();
    collector.maxFileBytes = 1_300_000;
    const events = [hello(), ...sourceEvents(syntheticFrames(40_000, { keyFrameMs: 3000 }))];
    const first = new Muxer(optionsOf(collector));
    // It dies when the old file has its last chunk and the new one none.
    for (const event of events) if (collector.rolls.length === 0) first.take(event);
    collector.files.pop();
    collector.rolls.pop();
    const second = new Muxer({ ...optionsOf(collector), resume: collector.left() });
    for (const event of replayed(events, collector)) second.take(event);
    second.end();
    const files = await Promise.all(collector.files.map((_, i) => readBack(collector.file(i))));
    assert.equal(files.length, 3);
    assert.equal(
      files.reduce((sum, { video }) => sum + video.length, 0),
      1200,
    );
    assert.deepEqual(collector.gaps, []);
  });

  test('rolls over when a publisher comes back with another codec', async () => {
    const first = sourceEvents(syntheticFrames(8000));
    const again = { firstTrack: 3, producer: 'again', codec: 'VP9', fromMs: 12_000 } as const;
    const frames = syntheticFrames(6000, { pictureBytes: 900, codec: 'VP9' });
    const { collector } = mux([...first, ended(1, 8200), ended(2, 8200), ...sourceEvents(frames, again)]);
    assert.deepEqual(
      collector.files.map((chunks) => chunks[0]?.state.tracks.map(({ codec }) => codec)),
      [
        ['VP8', 'opus'],
        ['VP9', 'opus'],
      ],
    );
    const { audio, video } = await readBack(collector.file(1));
    assert.equal(video.length, 180);
    assert.ok(audio.length >= 299, `${audio.length}`);
  });

  test('loses what there is no room for, and goes on with a key frame when there is', async () => {
    const collector = new Collector();
    const muxer = new Muxer(optionsOf(collector));
    for (const event of [hello(), ...sourceEvents(syntheticFrames(30_000, { keyFrameMs: 2000 }))]) {
      collector.hasRoom = event.atMs < 9000 || event.atMs > 17_000;
      muxer.take(event);
    }
    muxer.end();
    const { audio, video } = await readBack(collector.file());
    const hole = video.findIndex(({ timeMs }, i) => timeMs - (video[i - 1]?.timeMs ?? 0) > 5000);
    assert.equal(video[hole]?.keyFrame, true);
    assert.ok(Math.abs(audio.length - 1500) <= 3, `${audio.length}`);
    assert.deepEqual(collector.gaps.map(({ kind, reason }) => `${kind} ${reason}`).toSorted(), [
      'audio spool_full',
      'video spool_full',
    ]);
    const picture = collector.gaps.find(({ kind }) => kind === 'video');
    assert.ok(picture && picture.fromMs >= 8000 && picture.toMs <= 20_000, JSON.stringify(picture));
  });

  test('ends well at the longest duration', async () => {
    const collector = new Collector();
    muxerOf(collector, [hello(), ...sourceEvents(syntheticFrames(20_000))], { maxDurationMs: 7000 });
    assert.equal(collector.limited, 1);
    const { audio, video } = await readBack(collector.file());
    assert.ok(Math.abs((audio.at(-1)?.timeMs ?? 0) - 6980) <= 20);
    assert.ok(Math.abs((video.at(-1)?.timeMs ?? 0) - 6967) <= 40);
    assert.ok(collector.left().tracks.length === 2 && (collector.chunks.at(-1)?.endMs ?? 0) <= 7040);
  });

  test('asks for a key frame at the start, every 10 s, and at once after a loss', () => {
    const lost = (event: SourceEvent) =>
      isPacketOf(event, 'video') && event.atMs >= 24_000 && event.atMs < 24_050;
    const events = sourceEvents(syntheticFrames(40_000, { keyFrameMs: 60_000 })).filter(
      (event) => !lost(event),
    );
    const collector = new Collector();
    const muxer = new Muxer(optionsOf(collector));
    const askedMs: number[] = [];
    for (const event of [hello(), ...events]) {
      const before = collector.requests.length;
      muxer.take(event);
      if (collector.requests.length > before) askedMs.push(event.atMs);
    }
    assert.deepEqual(collector.requests[0], { type: 'key-frame', track: 2 });
    assert.ok(
      askedMs.some((ms) => ms >= 10_000 && ms <= 10_100),
      askedMs.join(),
    );
    assert.ok(
      askedMs.some((ms) => ms >= 24_000 && ms <= 24_700),
      askedMs.join(),
    );
    assert.ok(askedMs.filter((ms) => ms < 24_000).length < 12, askedMs.join());
  });

  test('writes sound alone, and finds its way in it', async () => {
    const frames = syntheticFrames(45_000).filter(({ kind }) => kind === 'audio');
    const { collector } = mux(sourceEvents(frames));
    assert.equal((await readBack(collector.file())).audio.length, 2250);
    const cues = collector.chunks.flatMap(({ cues }) => cues.map(({ timeMs }) => timeMs));
    assert.equal(cues.length, 5);
  });

  test('takes a picture in that joins later, in the same file', async () => {
    const frames = syntheticFrames(20_000).filter(({ kind, timeMs }) => kind === 'audio' || timeMs >= 10_000);
    const events = sourceEvents(frames, { muted: { video: true } }).map(
      (event): SourceEvent => (event.type === 'tick' && event.atMs === 9900 ? unmuted(2, 9900) : event),
    );
    const { collector } = mux(events);
    const { audio, video } = await readBack(collector.file());
    assert.equal(audio.length, 1000);
    assert.deepEqual([video.length, video[0]?.keyFrame, video[0]?.timeMs], [300, true, 10_000]);
    assert.deepEqual(
      collector.left().tracks.map(({ kind }) => kind),
      ['audio', 'video'],
    );
  });

  test('makes durable what there is when it is told to, and nothing twice', async () => {
    const collector = new Collector();
    const events = [hello(), ...sourceEvents(syntheticFrames(5400))];
    const muxer = muxerOf(collector, events);
    muxer.flush();
    const length = collector.chunks.length;
    muxer.flush();
    muxer.end();
    assert.equal(collector.chunks.length, length);
    assert.equal((await readBack(collector.file())).video.length, 162);
  });

  test('leaves out what WebM does not hold', () => {
    const { audio, video } = tracksOf();
    const events: SourceEvent[] = [
      { type: 'track', atMs: 0, ...video, codec: 'H264' },
      { type: 'track', atMs: 0, ...audio },
      ...sourceEvents(syntheticFrames(3000)).filter(({ type }) => type !== 'track'),
    ];
    const { collector } = mux(events);
    assert.deepEqual(
      collector.left().tracks.map(({ codec }) => codec),
      ['opus'],
    );
  });
});

function optionsOf(sink: Collector, limits: Partial<MuxerOptions['limits']> = {}): MuxerOptions {
  const maxDurationMs = Number.POSITIVE_INFINITY;
  return { sink, limits: { flushIntervalMs: FLUSH_MS, maxDurationMs, resumeMs: 60_000, ...limits } };
}

function muxerOf(
  collector: Collector,
  events: readonly SourceEvent[],
  limits: Partial<MuxerOptions['limits']> = {},
): Muxer {
  const muxer = new Muxer(optionsOf(collector, limits));
  for (const event of events) muxer.take(event);
  return muxer;
}

function mux(events: readonly SourceEvent[]): { readonly collector: Collector; readonly lateMs: number } {
  const collector = new Collector();
  const muxer = muxerOf(collector, [hello()]);
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

/** What a receiver has kept for the next muxer. */
function replayed(events: readonly SourceEvent[], collector: Collector): SourceEvent[] {
  const fromMs = collector.replayFromMs.at(-1) ?? 0;
  return events.filter(({ type, atMs }) => type === 'hello' || type === 'track' || atMs >= fromMs);
}

/** Packets of one kind arrive later. */
function delayed(events: readonly SourceEvent[], kind: 'audio' | 'video', byMs: number): SourceEvent[] {
  return events
    .map((event) => (isPacketOf(event, kind) ? { ...event, atMs: event.atMs + byMs } : event))
    .toSorted((a, b) => a.atMs - b.atMs);
}

function ended(track: number, atMs: number): SourceEvent {
  return { type: 'ended', track, atMs };
}

function unmuted(track: number, atMs: number): SourceEvent {
  return { type: 'muted', track, muted: false, atMs };
}
