import { beepCounter, COUNTER_MODULUS } from './counter-code.ts';
import { type DecodedPicture, type DecodedSound, decodePictures, decodeSound } from './decode.ts';
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
export async function measure(file: string, options: MeasureOptions = {}): Promise<Measurement> {
  const video = await decodePictures(file);
  const sound = options.audio === false ? { items: [], warnings: [] } : await decodeSound(file);
  return { ...judge(video.items, sound.items, options), warnings: [...video.warnings, ...sound.warnings] };
}

/** The judgement alone, of what was decoded. */
export function judge(
  decoded: readonly DecodedPicture[],
  sound: readonly DecodedSound[],
  { fps = 25, drawn }: MeasureOptions = {},
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

interface Picture {
  readonly ptsMs: number;
  readonly counter: number;
}

/** What one source showed without beginning anew. */
interface Run {
  readonly pictures: Picture[];
  framesLost: number;
}

/** A counter that falls by more than this has not wrapped: its source began anew. */
const MAX_LOST_AT_WRAP = 3000;

function findRuns(decoded: readonly DecodedPicture[], drawn: ReadonlySet<number> | undefined): Run[] {
  const runs: Run[] = [];
  let run: Run | undefined;
  let unread = 0;
  for (const { ptsMs, counter } of decoded) {
    if (counter === undefined) {
      unread += 1;
      continue;
    }
    const last = run?.pictures.at(-1)?.counter;
    const counted = last === undefined ? counter : countOn(counter, last);
    if (run === undefined || last === undefined || counted === undefined) {
      run = { pictures: [{ ptsMs, counter }], framesLost: 0 };
      runs.push(run);
    } else {
      run.framesLost += Math.max(0, missingBetween(last, counted, drawn) - unread);
      run.pictures.push({ ptsMs, counter: counted });
    }
    unread = 0;
  }
  return runs;
}

/** A counter that wraps counts on. @returns undefined where a source began anew */
function countOn(counter: number, last: number): number | undefined {
  const ahead = counter - (last % COUNTER_MODULUS);
  if (ahead >= 0) return last + ahead;
  return ahead + COUNTER_MODULUS <= MAX_LOST_AT_WRAP ? last + ahead + COUNTER_MODULUS : undefined;
}

function missingBetween(last: number, next: number, drawn: ReadonlySet<number> | undefined): number {
  if (drawn === undefined) return Math.max(0, next - last - 1);
  let missing = 0;
  for (let counter = last + 1; counter < next; counter += 1) if (drawn.has(counter)) missing += 1;
  return missing;
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

/** By the picture that it belongs to; where a source began anew near by, by the one that it fits best. */
function offsetOf(beep: Beep, runs: readonly Run[], fps: number): { ptsMs: number; offsetMs: number }[] {
  const offsets = runs.flatMap((run) => offsetIn(run, beep, fps));
  const [best] = offsets.sort((one, other) => Math.abs(one) - Math.abs(other));
  return best === undefined ? [] : [{ ptsMs: beep.ptsMs, offsetMs: best }];
}

function offsetIn({ pictures }: Run, beep: Beep, fps: number): number[] {
  const periodMs = 1000 / fps;
  const closest = nearestBy(pictures, ({ ptsMs }) => ptsMs, beep.ptsMs);
  if (closest === undefined) return [];
  const expected = beepCounter(beep.tone, closest.counter + (beep.ptsMs - closest.ptsMs) / periodMs, fps);
  const shown = nearestBy(pictures, ({ counter }) => counter, expected);
  if (shown === undefined || Math.abs(shown.counter - expected) > NEIGHBOURS) return [];
  return [beep.ptsMs - (shown.ptsMs + (expected - shown.counter) * periodMs)];
}

/** @param sorted by `key` */
function nearestBy<T>(sorted: readonly T[], key: (item: T) => number, wanted: number): T | undefined {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = sorted[middle];
    if (item !== undefined && key(item) < wanted) low = middle + 1;
    else high = middle;
  }
  const [after, before] = [sorted[low], sorted[low - 1]];
  if (after === undefined || before === undefined) return after;
  return Math.abs(key(before) - wanted) < Math.abs(key(after) - wanted) ? before : after;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
