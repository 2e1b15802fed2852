import assert from 'node:assert/strict';
import { BufferSource, EncodedPacketSink, Input, WEBM } from 'mediabunny';
import type { RecordingGap } from '../../../core/recording/recording.ts';
import type { Chunk } from '../../chunk.ts';
import type { MuxerRequest } from '../../source-event.ts';
import { parseTimelineState } from '../../timeline/index.ts';
import { buildCues } from '../../webm/cues.ts';
import { buildHead } from '../../webm/head.ts';
import type { MuxerSink, Resumed } from '../muxer.ts';

/** Keeps chunks as a store would, and completes files as a finisher would. */
export class Collector implements MuxerSink {
  readonly files: Chunk[][] = [[]];
  readonly requests: MuxerRequest[] = [];
  readonly rolls: number[] = [];
  readonly replayFromMs: number[] = [];
  limited = 0;
  hasRoom = true;
  maxFileBytes = Number.POSITIVE_INFINITY;

  append(chunk: Chunk, replayFromAtMs: number): boolean {
    if (!this.hasRoom) return false;
    this.files.at(-1)?.push(chunk);
    this.replayFromMs.push(replayFromAtMs);
    return true;
  }

  roll(durationMs: number): void {
    this.rolls.push(durationMs);
    this.files.push([]);
  }

  request(request: MuxerRequest): void {
    this.requests.push(request);
  }

  limit(): void {
    this.limited += 1;
  }

  get isFull(): boolean {
    return (this.files.at(-1) ?? []).reduce((sum, { bytes }) => sum + bytes.length, 0) >= this.maxFileBytes;
  }

  get chunks(): readonly Chunk[] {
    return this.files.flat();
  }

  get gaps(): readonly RecordingGap[] {
    return this.chunks.flatMap(({ gaps }) => gaps);
  }

  /** What a successor finds of a file. */
  left(file = this.files.length - 1): Resumed {
    const chunks = this.files[file] ?? [];
    const last = chunks.at(-1);
    assert.ok(last, 'nothing was appended');
    const timeline = parseTimelineState(JSON.parse(JSON.stringify(last.state.timeline)));
    assert.ok(timeline);
    const offset = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return { tracks: last.state.tracks, timeline, offset };
  }

  file(number = 0): Uint8Array {
    const chunks = this.files[number] ?? [];
    const last = chunks.at(-1);
    assert.ok(last, 'nothing was appended');
    const media = Buffer.concat(chunks.map(({ bytes }) => bytes));
    const cues = buildCues(chunks.flatMap((chunk) => chunk.cues));
    const head = buildHead({
      tracks: last.state.tracks,
      startedAtMs: last.state.startedAtMs,
      durationMs: last.endMs,
      mediaBytes: media.length,
      cuesBytes: cues.length,
    });
    return Buffer.concat([head, media.subarray(head.length), cues]);
  }
}

export interface ReadBlock {
  readonly timeMs: number;
  readonly keyFrame: boolean;
  readonly data: Uint8Array;
}

/** A file's blocks, as mediabunny reads them. */
export async function readBack(
  file: Uint8Array,
): Promise<{ readonly audio: readonly ReadBlock[]; readonly video: readonly ReadBlock[] }> {
  const input = new Input({ source: new BufferSource(file), formats: [WEBM] });
  const blocksOf = async (
    track:
      | Awaited<ReturnType<Input['getPrimaryVideoTrack']>>
      | Awaited<ReturnType<Input['getPrimaryAudioTrack']>>,
  ) => {
    const blocks: ReadBlock[] = [];
    if (track === null) return blocks;
    for await (const { timestamp, type, data } of new EncodedPacketSink(track).packets())
      blocks.push({ timeMs: Math.round(timestamp * 1000), keyFrame: type === 'key', data });
    return blocks;
  };
  try {
    return {
      audio: await blocksOf(await input.getPrimaryAudioTrack()),
      video: await blocksOf(await input.getPrimaryVideoTrack()),
    };
  } finally {
    input.dispose();
  }
}
