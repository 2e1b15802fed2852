import type { Kind } from '../channel/media.ts';
import type { OfferSection } from './types.ts';

export function isKind(type: string): type is Kind {
  return type === 'audio' || type === 'video';
}

/** The offerer can send a track in this section. */
export function sends(section: OfferSection): boolean {
  return isUsable(section) && (section.direction === 'sendonly' || section.direction === 'sendrecv');
}

/** The offerer can receive a track in this section. */
export function receives(section: OfferSection): boolean {
  return isUsable(section) && (section.direction === 'recvonly' || section.direction === 'sendrecv');
}

function isUsable(section: OfferSection): boolean {
  return isKind(section.type) && !section.rejected;
}
