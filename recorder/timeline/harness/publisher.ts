import type { Frame, SenderReport } from '../../frame.ts';
import type { SourceTrack } from '../../source-event.ts';
import type { Timeline } from '../timeline.ts';

/** What happens at a receiver, in the order of `atMs`. */
export type Step =
  | { readonly type: 'begin'; readonly atMs: number; readonly track: SourceTrack }
  | { readonly type: 'muted'; readonly atMs: number; readonly track: number; readonly muted: boolean }
  | { readonly type: 'ended'; readonly atMs: number; readonly track: number }
  | { readonly type: 'frame'; readonly atMs: number; readonly frame: Frame; readonly capturedMs: number }
  | { readonly type: 'report'; readonly atMs: number; readonly report: SenderReport }
  | { readonly type: 'tick'; readonly atMs: number };

export interface PublisherOptions {
  readonly name?: string;
  /** Tracks are `firstTrack` (sound) and the next one (picture). */
  readonly firstTrack?: number;
  readonly fromMs?: number;
  readonly toMs: number;
  readonly sound?: boolean;
  readonly picture?: boolean;
  /** How much faster than the receiver's the clocks of sound and picture run. */
  readonly soundPpm?: number;
  readonly picturePpm?: number;
  readonly keyFrameIntervalMs?: number;
  /** Delay of sound, of the picture, and what chance adds to each frame and report. */
  readonly soundDelayMs?: number;
  readonly pictureDelayMs?: number;
  readonly jitterMs?: number;
  readonly reportJitterMs?: number;
  readonly firstReportMs?: number;
  /** By how much reports' clock is ahead, at a time. */
  readonly ntpOffsetMs?: (atMs: number) => number;
  readonly soundRtp?: number;
  readonly pictureRtp?: number;
  /** 0..1, the same for each call number. */
  readonly random?: () => number;
}

const SOUND_MS = 20;
const PICTURE_MS = 1000 / 30;
const REPORT_MS = 1250;
const SSRC_BASE = 1000;

/** A publisher as a receiver sees it; `capturedMs` is by the receiver's clock, for comparison only. */
export function publisher(options: PublisherOptions): Step[] {
  const { name = 'publisher', firstTrack = 1, fromMs = 0 } = options;
  const lists: Step[][] = [];
  if (options.sound ?? true) {
    const track = trackOf(`${name} sound`, firstTrack, 'audio');
    const clock = { rateHz: 48_000, ppm: options.soundPpm ?? 0, first: options.soundRtp ?? 4_000_000 };
    lists.push([{ type: 'begin', atMs: fromMs, track }]);
    lists.push(framesOf(options, track, clock, SOUND_MS, options.soundDelayMs ?? 20));
    lists.push(reportsOf(options, track, clock));
  }
  if (options.picture ?? true) {
    const track = trackOf(`${name} picture`, firstTrack + 1, 'video');
    const clock = { rateHz: 90_000, ppm: options.picturePpm ?? 0, first: options.pictureRtp ?? 9_000_000 };
    lists.push([{ type: 'begin', atMs: fromMs, track }]);
    lists.push(framesOf(options, track, clock, PICTURE_MS, options.pictureDelayMs ?? 40));
    lists.push(reportsOf(options, track, clock));
  }
  return inOrder(...lists);
}

export function ticks(fromMs: number, toMs: number): Step[] {
  const steps: Step[] = [];
  for (let atMs = fromMs; atMs <= toMs; atMs += 100) steps.push({ type: 'tick', atMs });
  return steps;
}

/** Stable: what was before stays before at the same time. */
export function inOrder(...lists: readonly (readonly Step[])[]): Step[] {
  return lists.flat().toSorted((a, b) => a.atMs - b.atMs);
}

export function play(timeline: Timeline, steps: readonly Step[]): void {
  for (const step of steps) {
    switch (step.type) {
      case 'begin':
        timeline.begin(step.track, step.atMs);
        break;
      case 'muted':
        timeline.muted(step.track, step.muted, step.atMs);
        break;
      case 'ended':
        timeline.ended(step.track, step.atMs);
        break;
      case 'frame':
        timeline.frame(step.frame);
        break;
      case 'report':
        timeline.report(step.report);
        break;
      case 'tick':
        timeline.tick(step.atMs);
        break;
    }
  }
}

/** What comes out of a reader when the packets of these frames are lost: the next frame says so, of video a key frame. */
export function losing(steps: readonly Step[], isLost: (frame: Frame) => boolean): Step[] {
  const lossy = new Set<number>();
  return steps.flatMap((step): Step[] => {
    if (step.type !== 'frame') return [step];
    const { frame } = step;
    const afterLoss = lossy.has(frame.track);
    if (isLost(frame) || (afterLoss && !frame.keyFrame)) {
      lossy.add(frame.track);
      return [];
    }
    lossy.delete(frame.track);
    return [{ ...step, frame: { ...frame, afterLoss } }];
  });
}

/** A track that the server mutes for a while: nothing comes of it, and the picture begins again with a key frame. */
export function muting(steps: readonly Step[], track: number, fromMs: number, toMs: number): Step[] {
  let isWaiting = false;
  const kept = steps.filter((step) => {
    if (step.type !== 'frame' && step.type !== 'report') return true;
    if (trackOfStep(step) !== track) return true;
    if (step.atMs >= fromMs && step.atMs < toMs) {
      isWaiting = true;
      return false;
    }
    if (step.type === 'frame' && step.frame.keyFrame) isWaiting = false;
    return step.type === 'report' || !isWaiting;
  });
  return inOrder(
    kept.filter(({ type }) => type === 'begin'),
    [{ type: 'muted', atMs: fromMs, track, muted: true }],
    [{ type: 'muted', atMs: toMs, track, muted: false }],
    kept.filter(({ type }) => type !== 'begin'),
  );
}

function trackOfStep(step: Extract<Step, { readonly type: 'frame' | 'report' }>): number {
  return step.type === 'frame' ? step.frame.track : step.report.ssrc - SSRC_BASE;
}

/** Frames carry the time of their capture, so that a block tells where it belongs. */
export function capturedMs(data: Uint8Array): number | undefined {
  return data.length === 8 ? Buffer.from(data).readDoubleBE() : undefined;
}

interface RtpClock {
  readonly rateHz: number;
  readonly ppm: number;
  readonly first: number;
}

function rtpAt({ rateHz, ppm, first }: RtpClock, ms: number): number {
  return first + Math.round((ms / 1000) * rateHz * (1 + ppm / 1e6));
}

function trackOf(producerId: string, track: number, kind: 'audio' | 'video'): SourceTrack {
  return {
    track,
    kind,
    codec: kind === 'audio' ? 'opus' : 'VP8',
    clockRateHz: kind === 'audio' ? 48_000 : 90_000,
    producerId,
    payloadType: 100 + track,
    ssrcs: [SSRC_BASE + track],
    muted: false,
  };
}

function framesOf(
  { fromMs = 0, toMs, jitterMs = 0, random = () => 0.5, keyFrameIntervalMs = 10_000 }: PublisherOptions,
  { track, kind, ssrcs: [ssrc = 0] }: SourceTrack,
  clock: RtpClock,
  intervalMs: number,
  delayMs: number,
): Step[] {
  const steps: Step[] = [];
  let lastAtMs = 0;
  // The encoder counts in its own clock, which makes its frames a little longer or shorter than they should be.
  const everyMs = kind === 'audio' ? intervalMs / (1 + clock.ppm / 1e6) : intervalMs;
  const keyFrameEvery = Math.round(keyFrameIntervalMs / intervalMs);
  for (let n = 0; fromMs + n * everyMs < toMs; n += 1) {
    const at = fromMs + n * everyMs;
    const atMs = Math.max(lastAtMs, at + delayMs + random() * jitterMs);
    lastAtMs = atMs;
    const rtp = rtpAt(clock, at);
    const data = Buffer.alloc(8);
    data.writeDoubleBE(at);
    const frame = {
      ...{ track, kind, ssrc, rtpTimestamp: kind === 'audio' ? rtpAt(clock, fromMs) + n * 960 : rtp },
      ...{ keyFrame: kind === 'audio' || n % keyFrameEvery === 0, data, afterLoss: false, atMs },
      ...(kind === 'audio' ? { duration: 960 } : {}),
    };
    steps.push({ type: 'frame', atMs, frame, capturedMs: at });
  }
  return steps;
}

function reportsOf(
  {
    fromMs = 0,
    toMs,
    reportJitterMs = 0,
    firstReportMs = 800,
    ntpOffsetMs,
    random = () => 0.5,
  }: PublisherOptions,
  { track, ssrcs: [ssrc = 0] }: SourceTrack,
  clock: RtpClock,
): Step[] {
  const steps: Step[] = [];
  for (let at = fromMs + firstReportMs + track * 37; at < toMs; at += REPORT_MS) {
    const ntpMs = 3e12 + at + (ntpOffsetMs?.(at) ?? 0) + (random() - 0.5) * 2 * reportJitterMs;
    const atMs = at + 30;
    steps.push({
      type: 'report',
      atMs,
      report: { ssrc, ntpMs, rtpTimestamp: rtpAt(clock, at) % 2 ** 32, atMs },
    });
  }
  return steps;
}
