import type { Frame, SenderReport } from '../frame.ts';
import { parseRtpPacket, parseSenderReports, TrackReader } from '../rtp/index.ts';
import type { SourceEvent, SourceTrack } from '../source-event.ts';

/** Tracks at once, of generations that overlap; a receiver has no more. */
const MAX_READERS = 16;

/** The readers of all tracks: packets in, frames and what is missing out. */
export class Readers {
  readonly #byTrack = new Map<number, TrackReader>();
  readonly #trackBySsrc = new Map<number, number>();
  #tracks: readonly SourceTrack[] = [];

  /** @returns whether the track is one that a file can hold */
  begin(track: SourceTrack): boolean {
    if (track.codec === 'H264' || this.#byTrack.size >= MAX_READERS) return false;
    this.#byTrack.set(track.track, new TrackReader(track));
    for (const ssrc of track.ssrcs) this.#trackBySsrc.set(ssrc, track.track);
    this.#tracks = [...this.#tracks, track];
    return true;
  }

  has(track: number): boolean {
    return this.#byTrack.has(track);
  }

  clear(): void {
    this.#byTrack.clear();
    this.#trackBySsrc.clear();
    this.#tracks = [];
  }

  packet({ packet, atMs }: Extract<SourceEvent, { readonly type: 'rtp' }>): readonly Frame[] {
    const rtp = parseRtpPacket(packet);
    if (rtp === undefined) return [];
    return this.#byTrack.get(this.#trackBySsrc.get(rtp.ssrc) ?? -1)?.push(rtp, atMs) ?? [];
  }

  reports({ packet, atMs }: Extract<SourceEvent, { readonly type: 'rtcp' }>): readonly SenderReport[] {
    return parseSenderReports(packet, atMs);
  }

  mute(track: number, muted: boolean, atMs: number): readonly Frame[] {
    return this.#byTrack.get(track)?.mute(muted, atMs) ?? [];
  }

  end(track: number, atMs: number): readonly Frame[] {
    const frames = this.#byTrack.get(track)?.end(atMs) ?? [];
    this.#byTrack.delete(track);
    const ended = this.#tracks.find((other) => other.track === track);
    for (const ssrc of ended?.ssrcs ?? [])
      if (this.#trackBySsrc.get(ssrc) === track) this.#trackBySsrc.delete(ssrc);
    this.#tracks = this.#tracks.filter((other) => other !== ended);
    return frames;
  }

  /** What waits for packets that are not waited for any longer. */
  drain(atMs: number): readonly Frame[] {
    return [...this.#byTrack.values()].flatMap((reader) => reader.end(atMs));
  }

  tick(atMs: number): readonly Frame[] {
    const frames: Frame[] = [];
    for (const reader of this.#byTrack.values()) frames.push(...reader.tick(atMs));
    return frames;
  }

  /** Tracks that cannot go on without a key frame, each once a second. */
  starving(atMs: number): readonly number[] {
    return [...this.#byTrack].filter(([, reader]) => reader.keyFrameDue(atMs)).map(([track]) => track);
  }

  /** The newest track of the picture. */
  get picture(): number | undefined {
    return this.#tracks.findLast(({ kind }) => kind === 'video')?.track;
  }
}
