import type { Frame } from '../frame.ts';
import type { SourceTrack } from '../source-event.ts';
import { Av1 } from './av1.ts';
import { opusDuration } from './opus.ts';
import type { RtpPacket } from './packet.ts';
import type { PictureCodec, PictureSize } from './picture.ts';
import { type AssembledPicture, PictureAssembler } from './picture-assembler.ts';
import { PictureGate } from './picture-gate.ts';
import { type OrderedPacket, ReorderBuffer } from './reorder-buffer.ts';
import { Vp8 } from './vp8.ts';
import { Vp9 } from './vp9.ts';
import { nearest32 } from './wrap.ts';

/** One SSRC's packets made frames; those of video can all be decoded, each after the ones before it. */
export interface EncodingReader {
  /** Of video: nothing comes out until the next key frame. */
  readonly waiting: boolean;
  /** Packets that wait for others. */
  readonly held: number;
  push(packet: RtpPacket, atMs: number): Frame[];
  tick(atMs: number): Frame[];
  /** Gives up what is missing. Video begins again with a key frame, and what is missing until then is no loss. */
  pause(): Frame[];
}

export function encodingReader(track: SourceTrack, ssrc: number): EncodingReader {
  return track.codec === 'opus'
    ? new SoundReader(track, ssrc)
    : new VideoReader(track, ssrc, pictureCodec(track));
}

function pictureCodec({ codec }: SourceTrack): PictureCodec {
  if (codec === 'VP8') return new Vp8();
  if (codec === 'VP9') return new Vp9();
  if (codec === 'AV1') return new Av1();
  throw new Error(`${codec} cannot be recorded: WebM holds VP8, VP9, AV1 and Opus`);
}

class VideoReader implements EncodingReader {
  readonly #track: SourceTrack;
  readonly #ssrc: number;
  readonly #reorder = new ReorderBuffer();
  readonly #assembler: PictureAssembler;
  readonly #gate = new PictureGate();
  #lastTimestamp: number | undefined;
  #size: PictureSize = { width: 0, height: 0 };
  /** Whether there was a frame since the beginning, or the pause: nothing can be missing before. */
  #begun = false;
  #lost = false;

  constructor(track: SourceTrack, ssrc: number, codec: PictureCodec) {
    this.#track = track;
    this.#ssrc = ssrc;
    this.#assembler = new PictureAssembler(codec);
  }

  get waiting(): boolean {
    return this.#gate.waiting;
  }

  get held(): number {
    return this.#reorder.size;
  }

  push(packet: RtpPacket, atMs: number): Frame[] {
    return this.#frames(this.#reorder.push(packet, atMs));
  }

  tick(atMs: number): Frame[] {
    return this.#frames(this.#reorder.tick(atMs));
  }

  pause(): Frame[] {
    const frames = this.#frames(this.#reorder.drain());
    this.#assembler.reset();
    this.#gate.close();
    this.#begun = false;
    this.#lost = false;
    return frames;
  }

  #frames(ordered: readonly OrderedPacket[]): Frame[] {
    const frames: Frame[] = [];
    for (const assembled of ordered.flatMap((packet) => this.#assembler.push(packet))) {
      const rtpTimestamp = nearest32(assembled.timestamp, this.#lastTimestamp ?? assembled.timestamp);
      this.#lastTimestamp = rtpTimestamp;
      const passes = this.#gate.passes(assembled);
      this.#lost = this.#begun && (this.#lost || assembled.afterLoss || !passes);
      if (!passes) continue;
      frames.push(this.#frame(assembled, rtpTimestamp));
      this.#begun = true;
      this.#lost = false;
    }
    return frames;
  }

  #frame({ picture, atMs }: AssembledPicture, rtpTimestamp: number): Frame {
    const { keyFrame, data, size, codecPrivate } = picture;
    const { width, height } = this.#size;
    const resized = size !== undefined && (size.width !== width || size.height !== height);
    if (size !== undefined) this.#size = size;
    return {
      track: this.#track.track,
      kind: 'video',
      ssrc: this.#ssrc,
      rtpTimestamp,
      keyFrame,
      data,
      ...(size !== undefined && (keyFrame || resized) ? { size } : {}),
      ...(codecPrivate === undefined ? {} : { codecPrivate }),
      afterLoss: this.#lost,
      atMs,
    };
  }
}

/** Opus: a packet is a frame (RFC 7587 section 4.2), and each can be decoded. */
class SoundReader implements EncodingReader {
  readonly waiting = false;
  readonly #track: SourceTrack;
  readonly #ssrc: number;
  readonly #reorder = new ReorderBuffer();
  #lastTimestamp: number | undefined;
  #lost = false;

  constructor(track: SourceTrack, ssrc: number) {
    this.#track = track;
    this.#ssrc = ssrc;
  }

  get held(): number {
    return this.#reorder.size;
  }

  push(packet: RtpPacket, atMs: number): Frame[] {
    return this.#frames(this.#reorder.push(packet, atMs));
  }

  tick(atMs: number): Frame[] {
    return this.#frames(this.#reorder.tick(atMs));
  }

  pause(): Frame[] {
    const frames = this.#frames(this.#reorder.drain());
    this.#lost = false;
    return frames;
  }

  #frames(ordered: readonly OrderedPacket[]): Frame[] {
    const frames: Frame[] = [];
    for (const { packet, atMs, lostBefore } of ordered) {
      if (lostBefore) this.#lost = true;
      if (packet.payload.length === 0) continue;
      const duration = opusDuration(packet.payload);
      if (duration === undefined) {
        this.#lost = true;
        continue;
      }
      const rtpTimestamp = nearest32(packet.timestamp, this.#lastTimestamp ?? packet.timestamp);
      this.#lastTimestamp = rtpTimestamp;
      frames.push({
        track: this.#track.track,
        kind: 'audio',
        ssrc: this.#ssrc,
        rtpTimestamp,
        keyFrame: true,
        data: packet.payload,
        duration,
        afterLoss: this.#lost,
        atMs,
      });
      this.#lost = false;
    }
    return frames;
  }
}
