import type { WrittenMedia } from 'sdp-transform';
import { MillraceError } from '../protocol/error.ts';
import { writeAnswer } from './answer.ts';
import { acceptedSection } from './answer-section.ts';
import type { AnswerOptions, Offer, PlayedTrack, PlayPlan, TransportDescription } from './types.ts';

/**
 * The answer to a viewer: planned tracks that are played are sent, all other sections rejected. Ends in CRLF.
 *
 * @param plan - may also have tracks of an earlier offer whose section is inactive now: it stays open,
 *   paused.
 * @param played - for each planned track what its consumer sends; one that is missing is rejected.
 */
export function answerPlay(
  offer: Offer,
  plan: PlayPlan,
  transport: TransportDescription,
  played: readonly PlayedTrack[],
  options: AnswerOptions,
): string {
  return writeAnswer(offer, options, (section) => {
    const planned = plan.tracks.some(({ mid }) => mid === section.mid);
    const track = planned ? played.find(({ mid }) => mid === section.mid) : undefined;
    if (!track) return undefined;
    const { codecs, headerExtensions = [] } = track.rtpParameters;
    return {
      ...acceptedSection({ section, codecs, extensions: headerExtensions, direction: 'sendonly' }, transport),
      ...sources(track, section.type),
    };
  });
}

/** RFC 8830 msid, and RFC 5576 ssrc with FID for the retransmissions. */
function sources(
  { streamId, rtpParameters }: PlayedTrack,
  kind: string,
): Pick<WrittenMedia, 'msid' | 'ssrcs' | 'ssrcGroups'> {
  if (!/^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,64}$/.test(streamId)) {
    throw new MillraceError('internal', `not an msid: ${JSON.stringify(streamId)}`);
  }
  const [encoding] = rtpParameters.encodings ?? [];
  const media = encoding?.ssrc;
  const rtx = encoding?.rtx?.ssrc;
  const ssrcs = [media, rtx].filter((ssrc) => ssrc !== undefined);
  return {
    msid: [{ id: streamId, appdata: kind }],
    ssrcs: ssrcs.map((id) => ({ id, attribute: 'cname', value: rtpParameters.rtcp?.cname ?? streamId })),
    ...(ssrcs.length === 2 ? { ssrcGroups: [{ semantics: 'FID', ssrcs: ssrcs.join(' ') }] } : {}),
  };
}
