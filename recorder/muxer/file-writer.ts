import type { RecordingGap } from '../../core/recording/recording.ts';
import { type Chunk, type CuePoint, type FileTrack, HEAD_BYTES } from '../chunk.ts';
import type { TimedBlock, TimelineState } from '../timeline/index.ts';
import { type Block, clusterLength, writeCluster } from '../webm/cluster.ts';

/** Where a file stands: what a chunk behind it begins with. */
export interface FilePosition {
  readonly tracks: readonly FileTrack[];
  readonly offset: number;
}

export const NEW_FILE: FilePosition = { tracks: [], offset: 0 };

/** So that a reader finds a place in sound without a picture, too. */
const SOUND_CUE_INTERVAL_MS = 10_000;
/** Far from what a block's 16 bits of time hold. */
const MAX_CLUSTER_MS = 20_000;
/** Above that a chunk is made before its time: what a key frame of the highest bitrates is, some times over. */
const MAX_CHUNK_BYTES = 8 * 2 ** 20;

interface Placed extends Block {
  readonly kind: TimedBlock['kind'];
}

interface Cluster {
  readonly timeMs: number;
  readonly blocks: Placed[];
}

/** Gathers blocks, and makes them chunks of one file. */
export class FileWriter {
  #tracks: readonly FileTrack[];
  #offset: number;
  /** Of each kind in order. */
  #sound: TimedBlock[] = [];
  #picture: TimedBlock[] = [];
  #bytes = 0;
  #oldestAtMs = Number.POSITIVE_INFINITY;
  #soundCueMs = Number.NEGATIVE_INFINITY;

  constructor(position: FilePosition) {
    this.#tracks = position.tracks;
    this.#offset = position.offset;
  }

  /** Arrival of the oldest packet that is in no chunk yet; Infinity without any. */
  get oldestAtMs(): number {
    return this.#oldestAtMs;
  }

  get isFull(): boolean {
    return this.#bytes >= MAX_CHUNK_BYTES;
  }

  get position(): FilePosition {
    return { tracks: this.#tracks, offset: this.#offset };
  }

  /** Whether the file's track of this kind holds the block's codec; true for a kind that it does not have yet. */
  holds({ kind, codec }: TimedBlock): boolean {
    return this.#tracks.every((track) => track.kind !== kind || track.codec === codec);
  }

  add(block: TimedBlock): void {
    (block.kind === 'audio' ? this.#sound : this.#picture).push(block);
    this.#bytes += block.data.length;
    this.#oldestAtMs = Math.min(this.#oldestAtMs, block.atMs);
    this.#describe(block);
  }

  /** @returns undefined when there is nothing to write */
  chunk(timeline: TimelineState, endMs: number, gaps: readonly RecordingGap[]): Chunk | undefined {
    const clusters = this.#clusters();
    if (clusters.length === 0) return undefined;
    const headBytes = this.#offset === 0 ? HEAD_BYTES : 0;
    const length = clusters.reduce(
      (sum, { blocks, timeMs }) => sum + clusterLength(blocks, timeMs),
      headBytes,
    );
    const bytes = Buffer.allocUnsafeSlow(length).fill(0, 0, headBytes);
    const cues: CuePoint[] = [];
    let at = headBytes;
    for (const { blocks, timeMs } of clusters) {
      const cue = this.#cueOf(blocks);
      if (cue !== undefined) cues.push({ ...cue, offset: this.#offset + at });
      at = writeCluster(bytes, at, blocks, timeMs);
    }
    const oldestAtMs = this.#oldestAtMs;
    this.#offset += length;
    this.#clear();
    const state = { tracks: this.#tracks, startedAtMs: timeline.startedAtMs, timeline };
    return { bytes, cues, gaps, state, endMs, oldestAtMs };
  }

  /** What is in no chunk, and the chunk that brought the file to `position`, are not part of it. */
  rollBack(position: FilePosition): void {
    this.#offset = position.offset;
    this.#clear();
  }

  #clear(): void {
    this.#sound = [];
    this.#picture = [];
    this.#bytes = 0;
    this.#oldestAtMs = Number.POSITIVE_INFINITY;
  }

  /** The head is written last, so a track may come at any time, and its picture grow. */
  #describe({ kind, codec, size, codecPrivate }: TimedBlock): void {
    const known = this.#tracks.find((track) => track.kind === kind);
    if (known === undefined) {
      if (codec === 'H264') throw new Error('H264 cannot be recorded: WebM holds VP8, VP9, AV1 and Opus');
      const track: FileTrack = {
        ...{ number: this.#tracks.length + 1, kind, codec },
        ...size,
        ...(codecPrivate && { codecPrivate: Buffer.from(codecPrivate).toString('base64') }),
      };
      this.#tracks = [...this.#tracks, track];
    } else if (size !== undefined && area(size) > area(known)) {
      this.#tracks = this.#tracks.map((track) => (track === known ? { ...track, ...size } : track));
    }
  }

  /** Blocks in the order of their times; a picture before sound of the same time. */
  #clusters(): readonly Cluster[] {
    const clusters: Cluster[] = [];
    const numbers = new Map(this.#tracks.map(({ kind, number }) => [kind, number]));
    let [s, p] = [0, 0];
    for (;;) {
      const sound = this.#sound[s];
      const picture = this.#picture[p];
      const next = !sound || (picture && picture.timeMs <= sound.timeMs) ? picture : sound;
      if (next === undefined) return clusters;
      if (next === sound) s += 1;
      else p += 1;
      const { kind, timeMs, keyFrame, data } = next;
      const block = { kind, track: numbers.get(kind) ?? 0, timeMs, keyFrame, data };
      const cluster = clusters.at(-1);
      const begins =
        cluster === undefined || (kind === 'video' && keyFrame) || timeMs - cluster.timeMs > MAX_CLUSTER_MS;
      if (begins) clusters.push({ timeMs, blocks: [block] });
      else cluster.blocks.push(block);
    }
  }

  #cueOf([first]: readonly Placed[]): Omit<CuePoint, 'offset'> | undefined {
    if (first === undefined) return undefined;
    const { kind, keyFrame, timeMs, track } = first;
    if (kind === 'video') return keyFrame ? { timeMs, track } : undefined;
    const hasPicture = this.#tracks.some((other) => other.kind === 'video');
    if (hasPicture || timeMs - this.#soundCueMs < SOUND_CUE_INTERVAL_MS) return undefined;
    this.#soundCueMs = timeMs;
    return { timeMs, track };
  }
}

function area({ width = 0, height = 0 }: { readonly width?: number; readonly height?: number }): number {
  return width * height;
}
