import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const AUDIO_BPS = 32_000;
const SECONDS = 8;
export const FRAMES_PER_SECOND = 30;
const KEY_FRAME_SECONDS = 2;

/** Files that the load client replays: a picture in VP8, and sound in Opus. */
export interface Media {
  readonly video: string;
  readonly audio: string;
}

const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-media-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const made = new Map<number, Media>();

/** Encoded once and beforehand: no encoder runs while anything is measured. */
export function mediaOf(mbps: number): Media {
  const media = made.get(mbps) ?? makeMedia(mbps);
  made.set(mbps, media);
  return media;
}

function makeMedia(mbps: number): Media {
  const video = join(folder, `${mbps}.ivf`);
  const audio = join(folder, 'sound.ogg');
  const size = mbps < 0.5 ? '320x180' : mbps < 2 ? '640x360' : '1280x720';
  const videoBps = String(mbps * 1e6 - AUDIO_BPS);
  ffmpeg('-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${FRAMES_PER_SECOND},noise=alls=10:allf=t`, [
    ...['-t', String(SECONDS), '-c:v', 'libvpx', '-b:v', videoBps, '-minrate', videoBps],
    ...['-maxrate', videoBps, '-bufsize', videoBps, '-g', String(KEY_FRAME_SECONDS * FRAMES_PER_SECOND)],
    ...['-deadline', 'realtime', '-cpu-used', '8', '-lag-in-frames', '0', video],
  ]);
  ffmpeg('-f', 'lavfi', '-i', 'sine=440:sample_rate=48000,tremolo=f=3', [
    ...['-t', String(SECONDS), '-c:a', 'libopus', '-b:a', String(AUDIO_BPS), '-vbr', 'off'],
    // The load client takes one packet a page.
    ...['-page_duration', '20000', audio],
  ]);
  return { video, audio };
}

/** How many pictures a WebM file has; it is read to its end. @throws Error when it cannot be read */
export function picturesIn(file: string): number {
  const select = ['-select_streams', 'v', '-count_packets', '-show_entries', 'stream=nb_read_packets'];
  const text = execFileSync('ffprobe', ['-v', 'error', ...select, '-of', 'csv=p=0', file], {
    encoding: 'utf8',
  });
  return Number.parseInt(text, 10);
}

function ffmpeg(...args: readonly (string | readonly string[])[]): void {
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-nostdin', ...args.flat()]);
}
