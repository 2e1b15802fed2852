import { type FileTrack, HEAD_BYTES } from '../chunk.ts';
import { binaryOf, dateOf, floatOf, masterOf, startOf, textOf, uintOf, voidOf } from './ebml.ts';
import {
  AUDIO,
  CHANNELS,
  CODEC_DELAY,
  CODEC_ID,
  CODEC_PRIVATE,
  CUES,
  DATE_UTC,
  DOC_TYPE,
  DOC_TYPE_READ_VERSION,
  DOC_TYPE_VERSION,
  DURATION,
  EBML,
  EBML_MAX_ID_LENGTH,
  EBML_MAX_SIZE_LENGTH,
  EBML_READ_VERSION,
  EBML_VERSION,
  FLAG_LACING,
  INFO,
  LANGUAGE,
  MUXING_APP,
  PIXEL_HEIGHT,
  PIXEL_WIDTH,
  SAMPLING_FREQUENCY,
  SEEK,
  SEEK_HEAD,
  SEEK_ID,
  SEEK_POSITION,
  SEEK_PRE_ROLL,
  SEGMENT,
  TIMESTAMP_SCALE,
  TRACK_ENTRY,
  TRACK_NUMBER,
  TRACK_TYPE,
  TRACK_UID,
  TRACKS,
  VIDEO,
  WRITING_APP,
} from './element.ts';
import {
  OPUS_CHANNELS,
  OPUS_CODEC_DELAY_NS,
  OPUS_RATE_HZ,
  OPUS_SEEK_PRE_ROLL_NS,
  opusHead,
} from './opus-head.ts';

/** What the head says of the finished file: head, clusters, cues. */
export interface FinishedFile {
  readonly tracks: readonly FileTrack[];
  /** Unix time of the file's time 0. */
  readonly startedAtMs: number;
  readonly durationMs: number;
  /** Head and clusters: where the cues begin. */
  readonly mediaBytes: number;
  /** Length of what `buildCues` gave. */
  readonly cuesBytes: number;
}

const SEGMENT_SIZE_BYTES = 8;
const MILLISECOND_NS = 1_000_000;
const APP = 'millrace';
const CODEC_IDS = { opus: 'A_OPUS', VP8: 'V_VP8', VP9: 'V_VP9', AV1: 'V_AV1' } as const;
const VIDEO_TYPE = 1;
const AUDIO_TYPE = 2;

/** Version 4 for CodecDelay and SeekPreRoll; SimpleBlock needs a reader of version 2 (RFC 9559 section 4). */
const EBML_HEADER = masterOf(
  EBML,
  uintOf(EBML_VERSION, 1),
  uintOf(EBML_READ_VERSION, 1),
  uintOf(EBML_MAX_ID_LENGTH, 4),
  uintOf(EBML_MAX_SIZE_LENGTH, 8),
  textOf(DOC_TYPE, 'webm'),
  uintOf(DOC_TYPE_VERSION, 4),
  uintOf(DOC_TYPE_READ_VERSION, 2),
);

/** Where the Segment's data begins, from which Matroska counts positions (RFC 9559 section 16). */
export const SEGMENT_START = EBML_HEADER.length + startOf(SEGMENT, 0, SEGMENT_SIZE_BYTES).length;

/**
 * The file's first `HEAD_BYTES` bytes: EBML header, Segment with its size, SeekHead, Info, Tracks, Void.
 *
 * @throws RangeError when the tracks need more room than there is
 */
export function buildHead(file: FinishedFile): Uint8Array {
  const info = buildInfo(file);
  const tracks = masterOf(TRACKS, ...file.tracks.map(trackEntry));
  const seekHeadBytes = buildSeekHead(file, 0, 0).length;
  const seekHead = buildSeekHead(file, seekHeadBytes, seekHeadBytes + info.length);
  const segmentBytes = file.mediaBytes + file.cuesBytes - SEGMENT_START;
  const parts = [EBML_HEADER, startOf(SEGMENT, segmentBytes, SEGMENT_SIZE_BYTES), seekHead, info, tracks];
  const room = HEAD_BYTES - parts.reduce((sum, { length }) => sum + length, 0);
  if (room < 2) throw new RangeError(`the head needs ${HEAD_BYTES - room} bytes and has ${HEAD_BYTES}`);
  return Buffer.concat([...parts, voidOf(room)]);
}

/** Positions have a fixed length, so that the SeekHead's own does not depend on them. */
function buildSeekHead(file: FinishedFile, infoAt: number, tracksAt: number): Uint8Array {
  const entries = [seekOf(INFO, infoAt), seekOf(TRACKS, tracksAt)];
  if (file.cuesBytes > 0) entries.push(seekOf(CUES, file.mediaBytes - SEGMENT_START));
  return masterOf(SEEK_HEAD, ...entries);
}

function seekOf(id: number, position: number): Uint8Array {
  const target = Buffer.alloc(4);
  target.writeUInt32BE(id);
  const at = Buffer.alloc(8);
  at.writeBigUInt64BE(BigInt(position));
  return masterOf(SEEK, binaryOf(SEEK_ID, target), binaryOf(SEEK_POSITION, at));
}

function buildInfo({ durationMs, startedAtMs }: FinishedFile): Uint8Array {
  return masterOf(
    INFO,
    uintOf(TIMESTAMP_SCALE, MILLISECOND_NS),
    floatOf(DURATION, durationMs),
    dateOf(DATE_UTC, startedAtMs),
    textOf(MUXING_APP, APP),
    textOf(WRITING_APP, APP),
  );
}

function trackEntry(track: FileTrack): Uint8Array {
  const common = [
    uintOf(TRACK_NUMBER, track.number),
    uintOf(TRACK_UID, track.number),
    uintOf(FLAG_LACING, 0),
    textOf(LANGUAGE, 'und'),
    textOf(CODEC_ID, CODEC_IDS[track.codec]),
  ];
  return masterOf(TRACK_ENTRY, ...common, ...(track.kind === 'audio' ? audioOf() : videoOf(track)));
}

function audioOf(): readonly Uint8Array[] {
  return [
    uintOf(TRACK_TYPE, AUDIO_TYPE),
    binaryOf(CODEC_PRIVATE, opusHead()),
    uintOf(CODEC_DELAY, OPUS_CODEC_DELAY_NS),
    uintOf(SEEK_PRE_ROLL, OPUS_SEEK_PRE_ROLL_NS),
    masterOf(AUDIO, floatOf(SAMPLING_FREQUENCY, OPUS_RATE_HZ), uintOf(CHANNELS, OPUS_CHANNELS)),
  ];
}

function videoOf({ width = 0, height = 0, codecPrivate }: FileTrack): readonly Uint8Array[] {
  return [
    uintOf(TRACK_TYPE, VIDEO_TYPE),
    ...(codecPrivate === undefined ? [] : [binaryOf(CODEC_PRIVATE, Buffer.from(codecPrivate, 'base64'))]),
    masterOf(VIDEO, uintOf(PIXEL_WIDTH, width), uintOf(PIXEL_HEIGHT, height)),
  ];
}
