import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../protocol/error.ts';
import type { SessionId } from '../protocol/session-id.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import type { NodeId } from '../registry/record.ts';
import { problemOf } from './problem.ts';
import { sessionResource, streamDetail } from './resource.ts';
import { ProblemSchema, SessionSchema, StreamDetailSchema } from './schema.ts';

const SESSION = 'AAECAwQFBgcICQoLDA0ODw' as SessionId;
const NODE = 'node' as NodeId;
const muted = { video: true, audio: false };

test('a stream is shown with its viewers, in snake_case and without session ids', () => {
  const stream = 'camera' as StreamName;
  const report = {
    stream,
    epoch: 1,
    session: SESSION,
    sinceMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    tracks: [{ kind: 'video', codec: 'VP8', encodings: 1 }],
    muted,
    live: true,
    viewers: 1,
    bitrateBps: 1.5,
    encodings: [{ rid: '', bitrateBps: 1.5 }],
    lossRatio: 0,
    roundTripMs: 12.5,
  } as const;
  const play = {
    stream,
    session: SESSION,
    sinceMs: 0,
    bitrateBps: 3,
    spatialLayer: 0,
    availableBitrateBps: null,
    lossRatio: 1,
    roundTripMs: null,
    muted,
  };
  const detail = streamDetail(report, Array(1001).fill(play), NODE);
  assert.deepEqual(StreamDetailSchema.parse(detail), detail);
  assert.equal(detail.since, '2026-01-02T03:04:05.006Z');
  assert.equal(detail.plays.length, 1000);
  assert.deepEqual(
    { ...detail, plays: detail.plays.slice(0, 1) },
    {
      name: 'camera',
      node: 'node',
      session: '5d2611d5a4dd2b40',
      since: '2026-01-02T03:04:05.006Z',
      live: true,
      tracks: report.tracks,
      muted,
      viewers: 1,
      bitrate_bps: 1.5,
      layers: [{ rid: '', bitrate_bps: 1.5 }],
      loss_ratio: 0,
      round_trip_ms: 12.5,
      plays: [
        {
          session: '5d2611d5a4dd2b40',
          since: '1970-01-01T00:00:00.000Z',
          muted,
          bitrate_bps: 3,
          spatial_layer: 0,
          available_bitrate_bps: null,
          loss_ratio: 1,
          round_trip_ms: null,
        },
      ],
    },
  );
});

test('a session is shown by its public id', () => {
  const session = sessionResource({
    id: SESSION,
    subject: 'alice',
    livesBy: 'socket',
    signaling: 'signaling-1',
    epoch: 0,
    connected: false,
    events: true,
    holds: [{ stream: 'camera' as StreamName, role: 'publish', node: NODE }],
  });
  assert.deepEqual(SessionSchema.parse(session), session);
  assert.equal(session.id, '5d2611d5a4dd2b40');
  assert.equal(JSON.stringify(session).includes(SESSION), false);
});

test('a failure is a problem with its place in the error table', () => {
  const problem = problemOf(new MillraceError('stream_not_found', 'nobody publishes "x"'));
  assert.deepEqual(ProblemSchema.parse(problem), {
    type: 'tag:millrace.dev,2026:error:stream_not_found',
    title: 'There is no such stream',
    status: 404,
    detail: 'nobody publishes "x"',
    code: 40402,
    name: 'stream_not_found',
  });
});
