import { BEEP_MS, HUM_HZ, HUM_LEVEL, toneNumber } from './counter-code.ts';
import { type DecodedSound, SAMPLE_RATE } from './decode.ts';

export interface Beep {
  readonly ptsMs: number;
  /** Counts the source's beeps modulo 16. */
  readonly tone: number;
}

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Times in a file are whole milliseconds: frames that follow each other may miss each other by this. */
const ROUNDING_MS = 3;
/** Louder than the hum ever is, softer than any beep. */
const LOUD = 0.2;
/** A beep's own waves come sooner. */
const REST_SAMPLES = (SAMPLE_RATE * 5) / 1000;
const BEEP_TOLERANCE_MS = 15;

interface Loudness {
  readonly fromMs: number;
  toMs: number;
  rest: number;
  last: number;
  /** Times at which the wave rises through 0. */
  readonly crossings: number[];
}

/** Whole beeps; those that a hole cut are none. */
export function findBeeps(sound: readonly DecodedSound[]): Beep[] {
  const beeps: Beep[] = [];
  let loud: Loudness | undefined;
  let reachedMs = 0;
  for (const { ptsMs, samples } of sound) {
    if (Math.abs(ptsMs - reachedMs) > ROUNDING_MS) {
      addBeep(loud, beeps);
      loud = undefined;
    }
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] ?? 0;
      if (loud === undefined && Math.abs(sample) < LOUD) continue;
      const atMs = ptsMs + (index * 1000) / SAMPLE_RATE;
      loud ??= { fromMs: atMs, toMs: atMs, rest: 0, last: sample, crossings: [] };
      loud.rest = Math.abs(sample) < LOUD ? loud.rest + 1 : 0;
      if (loud.rest === 0) loud.toMs = atMs;
      if (loud.last < 0 && sample >= 0) loud.crossings.push(atMs);
      loud.last = sample;
      if (loud.rest <= REST_SAMPLES) continue;
      addBeep(loud, beeps);
      loud = undefined;
    }
    reachedMs = ptsMs + (samples.length * 1000) / SAMPLE_RATE;
  }
  addBeep(loud, beeps);
  return beeps;
}

function addBeep(loud: Loudness | undefined, beeps: Beep[]): void {
  if (loud === undefined) return;
  const tone = toneOf(loud.crossings);
  if (tone === undefined || Math.abs(loud.toMs - loud.fromMs - BEEP_MS) > BEEP_TOLERANCE_MS) return;
  beeps.push({ ptsMs: loud.fromMs, tone });
}

function toneOf(crossings: readonly number[]): number | undefined {
  // The edges of a beep are blurred.
  const inner = crossings.slice(3, -3);
  const [first, last] = [inner.at(0), inner.at(-1)];
  if (first === undefined || last === undefined || last <= first) return undefined;
  return toneNumber(((inner.length - 1) * 1000) / (last - first));
}

/** Half a wave of the hum. */
const WINDOW = SAMPLE_RATE / HUM_HZ / 2;
const MIN_SILENCE_MS = 10;

/** Spans in which not even the hum is heard, or in which the file has no sound at all. */
export function findSilences(sound: readonly DecodedSound[]): Span[] {
  const spans: Span[] = [];
  let reachedMs: number | undefined;
  for (const { ptsMs, samples } of sound) {
    if (reachedMs !== undefined && ptsMs - reachedMs > ROUNDING_MS) addSpan(spans, reachedMs, ptsMs);
    for (let at = 0; at < samples.length; at += WINDOW) {
      const window = samples.subarray(at, at + WINDOW);
      let power = 0;
      for (let index = 0; index < window.length; index += 1) power += (window[index] ?? 0) ** 2;
      const level = Math.sqrt(power / window.length);
      const fromMs = ptsMs + (at * 1000) / SAMPLE_RATE;
      if (level < HUM_LEVEL / 8) addSpan(spans, fromMs, fromMs + (window.length * 1000) / SAMPLE_RATE);
    }
    reachedMs = ptsMs + (samples.length * 1000) / SAMPLE_RATE;
  }
  return spans.filter(({ fromMs, toMs }) => toMs - fromMs >= MIN_SILENCE_MS);
}

function addSpan(spans: Span[], fromMs: number, toMs: number): void {
  const last = spans.at(-1);
  if (last !== undefined && fromMs - last.toMs < ROUNDING_MS) spans[spans.length - 1] = { ...last, toMs };
  else spans.push({ fromMs, toMs });
}
