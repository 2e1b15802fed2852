import { writeAnswer } from './answer.ts';
import { acceptedSection } from './answer-section.ts';
import { bandwidthLines } from './bandwidth.ts';
import type { AnswerOptions, Offer, PublishPlan, TransportDescription } from './types.ts';

/**
 * The answer to a publisher: planned tracks are received, all other sections rejected. Ends in CRLF.
 *
 * @param plan - may also have tracks of an earlier offer whose section is inactive now: it stays open,
 *   paused.
 */
export function answerPublish(
  offer: Offer,
  plan: PublishPlan,
  transport: TransportDescription,
  options: AnswerOptions,
): string {
  return writeAnswer(offer, options, (section) => {
    const track = plan.tracks.find(({ mid }) => mid === section.mid);
    if (!track) return undefined;
    const { codecs, headerExtensions = [], encodings = [] } = track.rtpParameters;
    const media = acceptedSection(
      { section, codecs, extensions: headerExtensions, direction: 'recvonly' },
      transport,
    );
    const rids = encodings.map(({ rid }) => rid).filter((rid) => rid !== undefined);
    return {
      ...media,
      ...(track.kind === 'video' ? { bandwidth: bandwidthLines(options.maxBitrateBps) } : {}),
      ...(rids.length > 0
        ? {
            rids: rids.map((id) => ({ id, direction: 'recv' })),
            simulcast: { dir1: 'recv', list1: rids.join(';') },
          }
        : {}),
    };
  });
}
