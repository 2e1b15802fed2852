import { type WrittenMedia, write } from 'sdp-transform';
import { rejectedSection } from './answer-section.ts';
import type { AnswerOptions, Offer, OfferSection } from './types.ts';

/**
 * The text of an answer: each section of the offer in its place, accepted as `accept` says or rejected. The
 * BUNDLE group keeps the offer's order of what is accepted, so that the tag is never a rejected section (RFC
 * 9143 section 7.3).
 */
export function writeAnswer(
  offer: Offer,
  { sessionId, sessionVersion }: AnswerOptions,
  accept: (section: OfferSection) => WrittenMedia | undefined,
): string {
  const media: WrittenMedia[] = [];
  const accepted = new Set<string>();
  for (const section of offer.sections) {
    const answered = accept(section);
    if (answered) accepted.add(section.mid);
    media.push(answered ?? rejectedSection(section));
  }
  const mids = offer.bundle.filter((mid) => accepted.has(mid));
  return write({
    version: 0,
    origin: { username: '-', sessionId, sessionVersion, netType: 'IN', ipVer: 4, address: '0.0.0.0' },
    name: '-',
    timing: { start: 0, stop: 0 },
    icelite: 'ice-lite',
    ...(mids.length > 0 ? { groups: [{ type: 'BUNDLE', mids: mids.join(' ') }] } : {}),
    msidSemantic: { semantic: 'WMS', token: '*' },
    media,
  });
}
