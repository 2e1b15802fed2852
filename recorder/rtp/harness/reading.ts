import type { Frame } from '../../frame.ts';
import type { SourceTrack } from '../../source-event.ts';
import { TrackReader } from '../track-reader.ts';
import type { ArrivingPacket } from './capture.ts';

const TICK_MS = 100;

export interface Reading {
  readonly frames: readonly Frame[];
  /** Times at which a key frame was asked for. */
  readonly requestedAtMs: readonly number[];
}

/** Reads a track as the muxer does: packets as they arrive, a tick ten times a second, and the end. */
export function readTrack(
  track: SourceTrack,
  packets: readonly ArrivingPacket[],
  { endMs = (packets.at(-1)?.atMs ?? 0) + TICK_MS } = {},
): Reading {
  const reader = new TrackReader(track);
  const frames: Frame[] = [];
  const requestedAtMs: number[] = [];
  let next = 0;
  for (let tickMs = TICK_MS; tickMs < endMs + TICK_MS; tickMs += TICK_MS) {
    for (;;) {
      const arriving = packets[next];
      if (arriving === undefined || arriving.atMs >= tickMs) break;
      frames.push(...reader.push(arriving.packet, arriving.atMs));
      next += 1;
    }
    frames.push(...reader.tick(tickMs));
    if (reader.keyFrameDue(tickMs)) requestedAtMs.push(tickMs);
  }
  frames.push(...reader.end(endMs));
  return { frames, requestedAtMs };
}
