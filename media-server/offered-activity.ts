import type { RtpCodecParameters } from 'mediasoup/types';
import type { Offer, OfferSection } from '../core/sdp/types.ts';

/** A publisher that pauses all that it sends. */
export function sendsNothing(offer: Offer): boolean {
  return hasPausedOnly(offer, ['sendonly', 'sendrecv']);
}

/** A viewer that pauses all that it receives. */
export function receivesNothing(offer: Offer): boolean {
  return hasPausedOnly(offer, ['recvonly', 'sendrecv']);
}

/** Whether the section of a track is there and has its codecs, but carries nothing for now. */
export function isPaused(offer: Offer, mid: string, codecs: readonly RtpCodecParameters[]): boolean {
  const section = offer.sections.find((each) => each.mid === mid);
  if (!section || section.rejected || section.direction !== 'inactive') return false;
  return codecs.every(({ payloadType }) => section.codecs.some((codec) => codec.payloadType === payloadType));
}

function hasPausedOnly(offer: Offer, active: readonly OfferSection['direction'][]): boolean {
  const usable = offer.sections.filter(({ rejected }) => !rejected);
  return (
    usable.some(({ direction }) => direction === 'inactive') &&
    !usable.some(({ direction }) => active.includes(direction))
  );
}
