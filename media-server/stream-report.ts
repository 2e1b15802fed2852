import type { PlayReport, StreamReport } from '../core/channel/media.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import { reportedMute } from './mute.ts';
import type { Play } from './play.ts';
import type { Publication } from './publication.ts';

/** A publication as others are told of its stream. */
export function streamReport(
  stream: Pick<StreamReport, 'stream' | 'sinceMs' | 'viewers' | 'live'>,
  { session, epoch, tracks, muted, statistics }: Publication,
): StreamReport {
  const { bitrateBps, encodings, lossRatio, roundTripMs } = statistics;
  return {
    ...stream,
    epoch,
    session,
    tracks,
    muted: reportedMute(muted, tracks),
    bitrateBps,
    encodings,
    lossRatio,
    roundTripMs,
  };
}

const MAX_REPORTED_PLAYS = 1000;

export function playReports(stream: StreamName, plays: readonly Play[]): readonly PlayReport[] {
  return plays.slice(0, MAX_REPORTED_PLAYS).map((play) => playReport(stream, play));
}

function playReport(stream: StreamName, play: Play): PlayReport {
  return {
    stream,
    session: play.session,
    sinceMs: play.sinceMs,
    ...play.statistics,
    spatialLayer: play.spatialLayer,
    muted: reportedMute(play.muted, play.tracks),
  };
}
