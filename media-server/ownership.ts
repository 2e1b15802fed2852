import type { EndReason, PublishRequest } from '../core/channel/media.ts';
import type { Publication } from './publication.ts';

/** A generation that is being made, and why an older one of its epoch ended meanwhile. */
export interface Opening {
  readonly epoch: number;
  ended?: EndReason;
}

/** An epoch belongs to one session; a higher one is a newer claim. */
export function mayPublish(request: PublishRequest, newest: Publication): boolean {
  return (
    request.epoch > newest.epoch || (request.epoch === newest.epoch && request.session === newest.session)
  );
}

/** What the end of a publication is for those who watched it. */
export function endOfPlay(reason: EndReason): EndReason {
  return reason === 'closed' || reason === 'session_ended' || reason === 'transport_lost'
    ? 'publisher_closed'
    : reason;
}
