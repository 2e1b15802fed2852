import { readFileSync } from 'node:fs';

/** What a WebM file says of itself, read without the code that writes it (RFC 9559, RFC 8794). */
export interface WebmOutline {
  readonly bytes: number;
  /** Where the segment ends; undefined when its size is unknown. */
  readonly segmentEnd: number | undefined;
  readonly durationMs: number | undefined;
  readonly tracks: readonly OutlineTrack[];
  /** Ids that the seek head names, and the ids that stand at those places. */
  readonly seeks: readonly { readonly id: number; readonly found: number | undefined }[];
  readonly clusters: readonly OutlineCluster[];
  readonly cues: readonly OutlineCue[];
}

export interface OutlineTrack {
  readonly number: number;
  readonly kind: 'video' | 'audio' | 'other';
  readonly codecId: string;
}

export interface OutlineCluster {
  /** Of the file. */
  readonly offset: number;
  readonly timeMs: number;
  readonly blocks: readonly OutlineBlock[];
}

export interface OutlineBlock {
  readonly track: number;
  readonly timeMs: number;
  readonly keyFrame: boolean;
}

export interface OutlineCue {
  readonly timeMs: number;
  readonly track: number;
  /** Of the file. */
  readonly offset: number;
}

const ID = {
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  duration: 0x4489,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  trackNumber: 0xd7,
  trackType: 0x83,
  codecId: 0x86,
  cluster: 0x1f43b675,
  timestamp: 0xe7,
  simpleBlock: 0xa3,
  blockGroup: 0xa0,
  block: 0xa1,
  reference: 0xfb,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
};

interface Element {
  readonly id: number;
  readonly offset: number;
  readonly start: number;
  readonly end: number;
  readonly sizeKnown: boolean;
}

/** @throws Error naming the place where the file is broken */
export function outlineWebm(path: string): WebmOutline {
  const file = readFileSync(path);
  const segment = children(file, 0, file.length).find(({ id }) => id === ID.segment);
  if (segment === undefined) throw new Error(`${path} has no segment`);
  const top = children(file, segment.start, segment.end);
  const inside = (id: number) => top.filter((element) => element.id === id).flatMap((e) => inner(file, e));
  const info = inside(ID.info);
  const scaleMs = (numberOf(file, info, ID.timestampScale) ?? 1_000_000) / 1e6;
  const duration = info.find(({ id }) => id === ID.duration);
  return {
    bytes: file.length,
    segmentEnd: segment.sizeKnown ? segment.end : undefined,
    durationMs: duration && float(file, duration) * scaleMs,
    tracks: inside(ID.tracks).flatMap((entry) => (entry.id === ID.trackEntry ? [trackOf(file, entry)] : [])),
    seeks: inside(ID.seekHead).flatMap((entry) => {
      if (entry.id !== ID.seek) return [];
      const seek = inner(file, entry);
      const at = segment.start + (numberOf(file, seek, ID.seekPosition) ?? 0);
      return [
        { id: numberOf(file, seek, ID.seekId) ?? 0, found: top.find(({ offset }) => offset === at)?.id },
      ];
    }),
    clusters: top.filter(({ id }) => id === ID.cluster).map((cluster) => clusterOf(file, cluster, scaleMs)),
    cues: inside(ID.cues).flatMap((point) =>
      point.id === ID.cuePoint ? cuesOf(file, point, segment, scaleMs) : [],
    ),
  };
}

function trackOf(file: Buffer, entry: Element): OutlineTrack {
  const fields = inner(file, entry);
  const type = numberOf(file, fields, ID.trackType);
  const codec = fields.find(({ id }) => id === ID.codecId);
  return {
    number: numberOf(file, fields, ID.trackNumber) ?? 0,
    kind: type === 1 ? 'video' : type === 2 ? 'audio' : 'other',
    codecId: codec === undefined ? '' : file.toString('latin1', codec.start, codec.end),
  };
}

function clusterOf(file: Buffer, cluster: Element, scaleMs: number): OutlineCluster {
  const fields = inner(file, cluster);
  const ticks = numberOf(file, fields, ID.timestamp) ?? 0;
  const blocks = fields.flatMap((field): OutlineBlock[] => {
    if (field.id === ID.simpleBlock) {
      const { track, time, flags } = blockHead(file, field);
      return [{ track, timeMs: (ticks + time) * scaleMs, keyFrame: (flags & 0x80) !== 0 }];
    }
    if (field.id !== ID.blockGroup) return [];
    const group = inner(file, field);
    const block = group.find(({ id }) => id === ID.block);
    if (block === undefined) return [];
    const { track, time } = blockHead(file, block);
    const keyFrame = !group.some(({ id }) => id === ID.reference);
    return [{ track, timeMs: (ticks + time) * scaleMs, keyFrame }];
  });
  return { offset: cluster.offset, timeMs: ticks * scaleMs, blocks };
}

function blockHead(file: Buffer, block: Element): { track: number; time: number; flags: number } {
  const track = readSize(file, block.start);
  const at = block.start + track.bytes;
  return { track: track.value, time: file.readInt16BE(at), flags: file.readUInt8(at + 2) };
}

function cuesOf(file: Buffer, point: Element, segment: Element, scaleMs: number): OutlineCue[] {
  const fields = inner(file, point);
  const timeMs = (numberOf(file, fields, ID.cueTime) ?? 0) * scaleMs;
  return fields
    .filter(({ id }) => id === ID.cueTrackPositions)
    .map((positions) => {
      const place = inner(file, positions);
      return {
        timeMs,
        track: numberOf(file, place, ID.cueTrack) ?? 0,
        offset: segment.start + (numberOf(file, place, ID.cueClusterPosition) ?? 0),
      };
    });
}

function inner(file: Buffer, element: Element): Element[] {
  return children(file, element.start, element.end);
}

function children(file: Buffer, from: number, to: number): Element[] {
  const found: Element[] = [];
  for (let at = from; at < to; ) {
    const idBytes = Math.clz32(file.readUInt8(at)) - 23;
    if (idBytes > 4) throw new Error(`no element at byte ${at}`);
    const id = file.readUIntBE(at, idBytes);
    const size = readSize(file, at + idBytes);
    const start = at + idBytes + size.bytes;
    const end = size.known ? start + size.value : to;
    if (end > to) throw new Error(`the element at byte ${at} ends at ${end}, behind its parent's end ${to}`);
    found.push({ id, offset: at, start, end, sizeKnown: size.known });
    at = end;
  }
  return found;
}

function readSize(file: Buffer, at: number): { value: number; bytes: number; known: boolean } {
  const first = file.readUInt8(at);
  const bytes = Math.clz32(first) - 23;
  if (bytes > 8) throw new Error(`no size at byte ${at}`);
  let value = first & (0xff >> bytes);
  let ones = value === 0xff >> bytes;
  for (let index = 1; index < bytes; index += 1) {
    const byte = file.readUInt8(at + index);
    value = value * 256 + byte;
    ones &&= byte === 0xff;
  }
  return { value, bytes, known: !ones };
}

function numberOf(file: Buffer, fields: readonly Element[], id: number): number | undefined {
  const field = fields.find((candidate) => candidate.id === id);
  if (field === undefined) return undefined;
  let value = 0;
  for (let at = field.start; at < field.end; at += 1) value = value * 256 + file.readUInt8(at);
  return value;
}

function float(file: Buffer, { start, end }: Element): number {
  return end - start === 4 ? file.readFloatBE(start) : file.readDoubleBE(start);
}
