import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BEEP_LEVEL, BEEP_MS, beepHz, cellAt, codeOf, HUM_HZ, HUM_LEVEL } from './counter-code.ts';
import type { Span } from './sound-pattern.ts';

const WIDTH = 320;
const HEIGHT = 180;
const SAMPLE_RATE = 48_000;
/** Opus' delay, which this ffmpeg's demuxer takes off the times of WebM, and its muxer does not put on. */
const OPUS_DELAY_MS = 6.5;

export interface SyntheticFile {
  readonly seconds: number;
  readonly fps: number;
  /** `libvpx`, `libvpx-vp9`, ... */
  readonly encoder: string;
  readonly bitrate: string;
  /** Counters that are left out. */
  readonly without?: readonly number[];
  /** The sound begins this much late. */
  readonly soundDelayMs?: number;
  readonly silences?: readonly Span[];
  readonly firstCounter?: number;
  readonly size?: string;
}

/** A WebM of what counter-source.js would show and play, with faults that are known. */
export async function writeSyntheticFile(file: string, wish: SyntheticFile): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-synthetic-'));
  try {
    const pictures = join(folder, 'pictures.gray');
    const sound = join(folder, 'sound.f32');
    writeFileSync(pictures, drawPictures(wish));
    writeFileSync(sound, new Uint8Array(playSound(wish).buffer));
    const { fps, encoder, bitrate, without = [], soundDelayMs = 0, size, firstCounter = 0 } = wish;
    const left = without.map((counter) => `eq(n,${counter - firstCounter})`).join('+') || '0';
    const child = spawn(
      'ffmpeg',
      [
        ...['-v', 'error', '-y', '-nostdin'],
        ...[
          '-f',
          'rawvideo',
          '-pix_fmt',
          'gray',
          '-s',
          `${WIDTH}x${HEIGHT}`,
          '-r',
          String(fps),
          '-i',
          pictures,
        ],
        ...['-itsoffset', String((soundDelayMs + OPUS_DELAY_MS) / 1000)],
        ...['-f', 'f32le', '-ar', String(SAMPLE_RATE), '-ac', '1', '-i', sound],
        ...['-vf', `select='not(${left})',format=yuv420p${size === undefined ? '' : `,scale=${size}`}`],
        ...['-fps_mode', 'passthrough', '-c:v', encoder, '-b:v', bitrate, '-deadline', 'realtime'],
        ...['-cpu-used', '8', '-lag-in-frames', '0', '-g', String(fps * 2)],
        ...['-c:a', 'libopus', '-b:a', '32k', file],
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`ffmpeg ended with ${code}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function drawPictures({ seconds, fps, firstCounter = 0 }: SyntheticFile): Uint8Array {
  const cells = Array.from({ length: WIDTH * HEIGHT }, (_, pixel) =>
    cellAt(((pixel % WIDTH) + 0.5) / WIDTH, (Math.floor(pixel / WIDTH) + 0.5) / HEIGHT),
  );
  const out = new Uint8Array(WIDTH * HEIGHT * seconds * fps);
  for (let picture = 0; picture < seconds * fps; picture += 1) {
    const code = codeOf(firstCounter + picture);
    const from = picture * WIDTH * HEIGHT;
    for (const [pixel, cell] of cells.entries()) {
      out[from + pixel] = cell === undefined ? 119 : code[cell] ? 255 : 0;
    }
  }
  return out;
}

function playSound({ seconds, fps, firstCounter = 0, silences = [] }: SyntheticFile): Float32Array {
  const out = new Float32Array(seconds * SAMPLE_RATE);
  const startMs = (firstCounter * 1000) / fps;
  for (let sample = 0; sample < out.length; sample += 1) {
    const atMs = (sample * 1000) / SAMPLE_RATE;
    if (silences.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs)) continue;
    const sourceMs = startMs + atMs;
    const sinceBeepMs = sourceMs % 1000;
    out[sample] = HUM_LEVEL * Math.sin((2 * Math.PI * HUM_HZ * atMs) / 1000);
    if (sinceBeepMs >= BEEP_MS) continue;
    const hz = beepHz(Math.floor(sourceMs / 1000));
    out[sample] = (out[sample] ?? 0) + BEEP_LEVEL * Math.sin((2 * Math.PI * hz * sinceBeepMs) / 1000);
  }
  return out;
}
