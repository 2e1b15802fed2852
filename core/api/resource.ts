import type { PlayReport, StreamReport } from '../channel/media.ts';
import { publicSessionId } from '../protocol/session-id.ts';
import type { NodeId, SessionRecord } from '../registry/record.ts';
import {
  MAX_LISTED_PLAYS,
  type PlayResource,
  type SessionResource,
  type StreamDetail,
  type StreamResource,
} from './schema.ts';

/** A media server's report as /api/v1 shows it. */
export function streamResource(report: StreamReport, node: NodeId): StreamResource {
  return {
    name: report.stream,
    node,
    session: publicSessionId(report.session),
    since: new Date(report.sinceMs).toISOString(),
    live: report.live,
    tracks: report.tracks.map(({ kind, codec, encodings }) => ({ kind, codec, encodings })),
    muted: { ...report.muted },
    viewers: report.viewers,
    bitrate_bps: report.bitrateBps,
    layers: report.encodings.map(({ rid, bitrateBps }) => ({ rid, bitrate_bps: bitrateBps })),
    loss_ratio: report.lossRatio,
    round_trip_ms: report.roundTripMs,
  };
}

export function streamDetail(report: StreamReport, plays: readonly PlayReport[], node: NodeId): StreamDetail {
  return { ...streamResource(report, node), plays: plays.slice(0, MAX_LISTED_PLAYS).map(playResource) };
}

function playResource(report: PlayReport): PlayResource {
  return {
    session: publicSessionId(report.session),
    since: new Date(report.sinceMs).toISOString(),
    muted: { ...report.muted },
    bitrate_bps: report.bitrateBps,
    spatial_layer: report.spatialLayer,
    available_bitrate_bps: report.availableBitrateBps,
    loss_ratio: report.lossRatio,
    round_trip_ms: report.roundTripMs,
  };
}

export function sessionResource(record: SessionRecord): SessionResource {
  return {
    id: publicSessionId(record.id),
    subject: record.subject,
    signaling: record.signaling,
    connected: record.connected,
    events: record.events,
    holds: record.holds.map(({ stream, role, node }) => ({ stream, role, node })),
  };
}
