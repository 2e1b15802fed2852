import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface FinishedFile {
  readonly durationMs: number;
  readonly codecs: readonly string[];
  /** Presentation times of all pictures, in order. */
  readonly pictureMs: readonly number[];
  /** What ffmpeg warned of as it decoded all of it. */
  readonly warnings: string;
}

/** Reads a file as players do, from its first to its last frame. */
export async function readFinished(path: string): Promise<FinishedFile> {
  const probe = await run('ffprobe', [
    ...['-v', 'error', '-of', 'json', '-show_entries', 'format=duration:stream=codec_name', path],
  ]);
  const { format, streams } = JSON.parse(probe.stdout) as {
    format: { duration: string };
    streams: { codec_name: string }[];
  };
  const times = await run('ffprobe', [
    ...['-v', 'error', '-select_streams', 'v', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0', path],
  ]);
  // In the file's own times: rounded to a frame rate that was guessed, two frames may have one.
  const asTheyAre = ['-fps_mode', 'passthrough', '-enc_time_base', '-1'];
  const { stderr } = await run('ffmpeg', ['-v', 'warning', '-i', path, ...asTheyAre, '-f', 'null', '-']);
  return {
    durationMs: Number(format.duration) * 1000,
    codecs: streams.map(({ codec_name }) => codec_name),
    pictureMs: times.stdout
      .split('\n')
      .filter(Boolean)
      .map((time) => Number.parseFloat(time) * 1000),
    warnings: stderr,
  };
}

/** The longest time that the picture stood still for want of a frame. */
export function longestStill({ pictureMs }: FinishedFile): number {
  return Math.max(0, ...pictureMs.slice(1).map((atMs, index) => atMs - (pictureMs[index] ?? 0)));
}

/** What is left in a folder of recordings beside finished files, and in the spool. */
export function leftovers(folder: string): string[] {
  return globSync('{recordings,spool}/.millrace/**/*.{tail,checkpoint,json}', {
    cwd: folder,
    exclude: ['**/.store/**'],
  });
}
