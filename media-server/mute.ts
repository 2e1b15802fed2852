import type { Kind, MuteRequest, MuteState, Track } from '../core/channel/media.ts';

export const UNMUTED: MuteState = { video: false, audio: false };

/** The state after a request; a kind that the request leaves out, or that the tracks lack, stays as it is. */
export function mutedAfter(
  before: MuteState,
  request: Pick<MuteRequest, 'video' | 'audio'>,
  tracks: readonly Pick<Track, 'kind'>[],
): MuteState {
  const next = (kind: Kind) => (has(tracks, kind) ? (request[kind] ?? before[kind]) : before[kind]);
  return { video: next('video'), audio: next('audio') };
}

/** What clients are told: nothing is muted that is not there. */
export function reportedMute(muted: MuteState, tracks: readonly Pick<Track, 'kind'>[]): MuteState {
  return {
    video: muted.video && has(tracks, 'video'),
    audio: muted.audio && has(tracks, 'audio'),
  };
}

function has(tracks: readonly Pick<Track, 'kind'>[], kind: Kind): boolean {
  return tracks.some((track) => track.kind === kind);
}
