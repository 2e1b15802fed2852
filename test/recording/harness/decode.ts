import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { GRID, readCounter } from './counter-code.ts';

export interface DecodedPicture {
  readonly ptsMs: number;
  /** undefined = shown, but unreadable: encoders of screens leave a block of the picture before at times. */
  readonly counter: number | undefined;
}

/** Sound as the file has it: nothing is put into its holes. */
export interface DecodedSound {
  readonly ptsMs: number;
  readonly samples: Float32Array;
}

export interface Decoded<T> {
  readonly items: readonly T[];
  /** What ffmpeg warned of. */
  readonly warnings: readonly string[];
}

/** Enough for the highest of the tones, and for an hour of them in memory. */
export const SAMPLE_RATE = 16_000;
const DEADLINE_MS = 300_000;
const HEAD = ['-hide_banner', '-nostdin', '-loglevel', 'level+info', '-copyts'];

/** Every picture that ffmpeg shows of a file, in order. @param decoder in place of ffmpeg's own choice */
export async function decodePictures(file: string, decoder?: string): Promise<Decoded<DecodedPicture>> {
  const counters: (number | undefined)[] = [];
  const bytes = GRID.width * GRID.height;
  const { times, warnings } = await run(
    [
      ...(decoder === undefined ? [] : ['-c:v', decoder]),
      ...['-i', file, '-map', '0:v:0', '-fps_mode', 'passthrough'],
      // In the file's own times: rounded to a frame rate that was guessed, two pictures may have one.
      ...['-enc_time_base', '-1'],
      ...['-vf', `scale=${GRID.width}:${GRID.height}:flags=area,format=gray,showinfo=checksum=0`],
      ...['-f', 'rawvideo', '-'],
    ],
    inPieces(bytes, (picture) => counters.push(readCounter(picture))),
  );
  const items = counters.map((counter, index) => ({ ptsMs: times[index]?.ptsMs ?? Number.NaN, counter }));
  return { items, warnings };
}

export async function decodeSound(file: string): Promise<Decoded<DecodedSound>> {
  const chunks: Buffer[] = [];
  const { times, warnings } = await run(
    [
      ...['-i', file, '-map', '0:a:0'],
      ...['-af', `aformat=channel_layouts=mono,aresample=${SAMPLE_RATE},ashowinfo`, '-f', 'f32le', '-'],
    ],
    (chunk) => chunks.push(chunk),
  );
  const all = new Uint8Array(chunks.reduce((bytes, { length }) => bytes + length, 0));
  let bytes = 0;
  for (const chunk of chunks) {
    all.set(chunk, bytes);
    bytes += chunk.length;
  }
  const samples = new Float32Array(all.buffer);
  let at = 0;
  const items = times.map((time) => {
    const part = samples.subarray(at, at + time.samples);
    at += time.samples;
    return { ptsMs: time.ptsMs, samples: part };
  });
  return { items, warnings };
}

/** Hands data on in pieces of one size. */
function inPieces(bytes: number, take: (piece: Uint8Array) => void): (data: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (data) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    let at = 0;
    for (; at + bytes <= rest.length; at += bytes) take(rest.subarray(at, at + bytes));
    rest = rest.subarray(at);
  };
}

interface Shown {
  readonly ptsMs: number;
  /** Of sound. */
  readonly samples: number;
}

async function run(
  args: readonly string[],
  sink: (data: Buffer) => void,
): Promise<{ times: readonly Shown[]; warnings: readonly string[] }> {
  const child = spawn('ffmpeg', [...HEAD, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  const times: Shown[] = [];
  const warnings: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    const [, pts] = /_a?showinfo_.*\bn: *\d+ .*pts_time:(\S+)/.exec(line) ?? [];
    if (pts !== undefined) {
      times.push({
        ptsMs: Math.round(Number(pts) * 1e6) / 1e3,
        samples: Number(/nb_samples:(\d+)/.exec(line)?.[1] ?? 0),
      });
    } else if (/\[(warning|error|fatal|panic)\]/.test(line)) warnings.push(line);
  });
  child.stdout.on('data', sink);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(deadline);
  if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${warnings.slice(-5).join('\n')}`);
  return { times, warnings };
}
