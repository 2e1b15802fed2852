import { OPUS_RATE_HZ } from '../webm/opus-head.ts';

/** A packet of Opus that is silent, and how long it lasts. */
export interface Silence {
  readonly samples: number;
  readonly data: Uint8Array;
}

/**
 * One mono CELT frame of full band and 20, 10, 5 or 2.5 ms (RFC 6716 section 3.1, configurations 31 to 28), whose
 * first bit decoded says "silence" (section 4.3). A decoder of two channels plays a mono packet on both, and
 * packets of both forms may follow each other (section 2.1.2).
 */
const SILENCES: readonly Silence[] = [
  { samples: 960, data: Uint8Array.of(0xf8, 0xff, 0xfe) },
  { samples: 480, data: Uint8Array.of(0xf0, 0xff, 0xfe) },
  { samples: 240, data: Uint8Array.of(0xe8, 0xff, 0xfe) },
  { samples: 120, data: Uint8Array.of(0xe0, 0xff, 0xfe) },
];

/** A hole that is shorter has no packet that fills it, and is none for a decoder. */
export const SHORTEST_SILENCE_SAMPLES = 120;
export const SAMPLES_A_MS = OPUS_RATE_HZ / 1000;

/** The longest silence that fits into so many samples; undefined when none does. */
export function silenceWithin(samples: number): Silence | undefined {
  return SILENCES.find((silence) => silence.samples <= samples);
}
