import { beepCounter } from './counter-code.ts';
import {
  type DecodedPicture,
  type DecodedSound,
  decodePictures,
  decodeSound,
  unwrapCounter,
} from './decode.ts';
import { type Beep, findBeeps, findSilences, type Span } from './sound-pattern.ts';

/** What a file holds of what counter-source.js showed and played, measured from its media alone. */
export interface Measurement {
  /** Readable pictures; counters count on beyond their wrap, and begin anew where the source did. */
  readonly pictures: readonly { readonly ptsMs: number; readonly counter: number }[];
  /** Pictures that were shown and could not be read. */
  readonly unreadable: number;
  /** Counters that are missing between the first and the last, and no picture stands in their place. */
  readonly framesLost: number;
  readonly longestHoleMs: number;
  /** How far a picture's time in the file is from its source's at worst, set by the median. */
  readonly worstClockErrorMs: number;
  readonly beeps: readonly Beep[];
  /** Spans without any sound: silence in the place of what was lost, or nothing at all. */
  readonly silences: readonly Span[];
  /** Sound behind picture, at each beep: positive = the sound comes late. */
  readonly offsets: readonly { readonly ptsMs: number; readonly offsetMs: number }[];
  readonly medianOffsetMs: number;
  readonly worstOffsetMs: number;
  readonly warnings: readonly string[];
}

export interface MeasureOptions {
  /** Counters that the source drew (`source.drawn`): those it was too late for are not lost then. One source only. */
  readonly drawn?: readonly number[];
  /** Of the source. */
  readonly fps?: number;
  readonly audio?: boolean;
}

/** @param file of a picture, and sound unless `audio` is false */
export async function measure(
  file: string,
  { fps = 25, audio = true, drawn }: MeasureOptions = {},
): Promise<Measurement> {
  const video = await decodePictures(file);
  const sound = audio ? await decodeSound(file) : { items: [], warnings: [] };
  return { ...judge(video.items, sound.items, fps, drawn), warnings: [...video.warnings, ...sound.warnings] };
}

function judge(
  decoded: readonly DecodedPicture[],
  sound: readonly DecodedSound[],
  fps: number,
  drawn: readonly number[] | undefined,
): Omit<Measurement, 'warnings'> {
  const periodMs = 1000 / fps;
  const runs = findRuns(decoded, drawn && new Set(drawn));
  const pictures = runs.flatMap(({ pictures }) => pictures);
  const unreadable = decoded.filter(({ counter }) => counter === undefined).length;
  const beeps = findBeeps(sound);
  const offsets = beeps.flatMap((beep) => offsetOf(beep, runs, fps));
  const values = offsets.map(({ offsetMs }) => offsetMs);
  return {
    pictures,
    unreadable,
    framesLost: sum(runs.map((run) => run.framesLost)),
    longestHoleMs: longestHole(decoded),
    worstClockErrorMs: Math.max(0, ...runs.map((run) => clockError(run, periodMs))),
    beeps,
    silences: findSilences(sound),
    offsets,
    medianOffsetMs: median(values),
    worstOffsetMs: values.reduce((worst, value) => (Math.abs(value) > Math.abs(worst) ? value : worst), 0),
  };
}

/** What one source showed without beginning anew. */
interface Run {
  readonly pictures: { ptsMs: number; counter: number }[];
  framesLost: number;
}

/** A source that begins anew counts from near 0; no reordering goes back. */
function findRuns(decoded: readonly DecodedPicture[], drawn: ReadonlySet<number> | undefined): Run[] {
  const runs: Run[] = [];
  let run: Run | undefined;
  let unread = 0;
  for (const { ptsMs, counter } of decoded) {
    if (counter === undefined) {
      unread += 1;
      continue;
    }
    const last = run?.pictures.at(-1);
    const counted = unwrapCounter(counter, last?.counter);
    if (run === undefined || last === undefined || counted < last.counter) {
      run = { pictures: [], framesLost: 0 };
      runs.push(run);
      run.pictures.push({ ptsMs, counter });
    } else {
      let missing = 0;
      for (let between = last.counter + 1; between < counted; between += 1) {
        if (drawn?.has(between) ?? true) missing += 1;
      }
      run.framesLost += Math.max(0, missing - unread);
      run.pictures.push({ ptsMs, counter: counted });
    }
    unread = 0;
  }
  return runs;
}

function longestHole(decoded: readonly DecodedPicture[]): number {
  let longest = 0;
  for (const [index, { ptsMs }] of decoded.entries()) {
    longest = Math.max(longest, ptsMs - (decoded[index - 1]?.ptsMs ?? ptsMs));
  }
  return longest;
}

function clockError({ pictures }: Run, periodMs: number): number {
  const starts = pictures.map(({ ptsMs, counter }) => ptsMs - counter * periodMs);
  const middle = median(starts);
  return starts.reduce((worst, start) => Math.max(worst, Math.abs(start - middle)), 0);
}

/** Pictures this far from a beep's tell its time well enough. */
const NEIGHBOURS = 3;

function offsetOf(beep: Beep, runs: readonly Run[], fps: number): { ptsMs: number; offsetMs: number }[] {
  const periodMs = 1000 / fps;
  const nearby = runs.flatMap(({ pictures }) => pictures);
  const closest = nearby.reduce<{ ptsMs: number; counter: number } | undefined>(
    (best, picture) =>
      best === undefined || Math.abs(picture.ptsMs - beep.ptsMs) < Math.abs(best.ptsMs - beep.ptsMs)
        ? picture
        : best,
    undefined,
  );
  if (closest === undefined) return [];
  const expected = beepCounter(beep.tone, closest.counter + (beep.ptsMs - closest.ptsMs) / periodMs, fps);
  const run = runs.find(({ pictures }) => pictures.includes(closest));
  const [shown] = (run?.pictures ?? [])
    .filter(({ counter }) => Math.abs(counter - expected) <= NEIGHBOURS)
    .sort((one, other) => Math.abs(one.counter - expected) - Math.abs(other.counter - expected));
  if (shown === undefined) return [];
  const shownMs = shown.ptsMs + (expected - shown.counter) * periodMs;
  return [{ ptsMs: beep.ptsMs, offsetMs: beep.ptsMs - shownMs }];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
