import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndReason } from '../channel/media.ts';
import { END_REASONS } from './event.ts';

test('a client can be told every reason that a media server gives but for its own close, and what its token ended', () => {
  const told: readonly (Exclude<EndReason, 'closed'> | 'not_authorised')[] = END_REASONS;
  const every: Readonly<Record<EndReason | 'not_authorised', true>> = {
    closed: true,
    publisher_closed: true,
    displaced: true,
    transport_lost: true,
    media_server_lost: true,
    ended_by_operator: true,
    session_ended: true,
    not_authorised: true,
  };
  assert.deepEqual(['closed', ...told].sort(), Object.keys(every).sort());
});
