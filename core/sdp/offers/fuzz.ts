import { MillraceError } from '../../protocol/error.ts';
import type { ProducerDescription } from '../index.ts';
import { brokenRules } from './answer-rules.ts';
import { ALL_CODECS, offerNames, play, publish, readOffer, streamOf } from './model.ts';
import { mutate, randomFrom } from './mutation.ts';

export interface FuzzReport {
  /** Texts that something else than a MillraceError came of, or an answer that breaks a rule. */
  readonly failures: readonly { readonly text: string; readonly why: string }[];
  /** How many of the offers were answered at all: if none were, nothing was tried. */
  readonly published: number;
  readonly played: number;
  /** Processor time, so that a busy machine does not count. */
  readonly longestMs: number;
}

const STREAMS: readonly (readonly ProducerDescription[])[] = (['VP8', 'VP9', 'H264', 'AV1'] as const).map(
  streamOf,
);

/** Plans and answers mutated offers, the same ones for the same seed. */
export function fuzz(seed: number, count: number): FuzzReport {
  const offers = offerNames().map(readOffer);
  const random = randomFrom(seed);
  const failures: { text: string; why: string }[] = [];
  let published = 0;
  let played = 0;
  let longestMs = 0;
  for (let index = 0; index < count && failures.length < 20; index++) {
    const text = mutate(offers, random);
    const before = process.threadCpuUsage();
    const outcome = tryOffer(text, index);
    const { user, system } = process.threadCpuUsage(before);
    longestMs = Math.max(longestMs, (user + system) / 1000);
    if (outcome.published) published++;
    if (outcome.played) played++;
    if (outcome.why !== undefined) failures.push({ text, why: outcome.why });
  }
  return { failures, published, played, longestMs };
}

interface Outcome {
  readonly published: boolean;
  readonly played: boolean;
  readonly why?: string;
}

/** @param turn - which stream is played, and which codec the server prefers. */
export function tryOffer(text: string, turn: number): Outcome {
  const first = ALL_CODECS[turn % ALL_CODECS.length] ?? 'opus';
  const publishing = answerOrRefusal(text, () => publish(text, [first, ...ALL_CODECS]).answer);
  if (publishing.why !== undefined)
    return { published: false, played: false, why: `publish: ${publishing.why}` };
  const stream = STREAMS[turn % STREAMS.length] ?? [];
  const playing = answerOrRefusal(text, () => play(text, stream).answer);
  return {
    published: publishing.answered,
    played: playing.answered,
    ...(playing.why === undefined ? {} : { why: `play: ${playing.why}` }),
  };
}

function answerOrRefusal(
  text: string,
  answer: () => string,
): { readonly answered: boolean; readonly why?: string } {
  try {
    const broken = brokenRules(text, answer());
    return broken.length === 0 ? { answered: true } : { answered: false, why: broken.join('; ') };
  } catch (error) {
    if (error instanceof MillraceError && error.errorName !== 'internal' && isReadable(error.message)) {
      return { answered: false };
    }
    return { answered: false, why: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** A refusal is one line that a client can show. */
function isReadable(message: string): boolean {
  return message.length > 20 && message.length < 1000 && !/[\r\n\0]/.test(message);
}
