import type { Identity } from '../core/auth/index.ts';
import { MillraceError, type StreamName } from '../core/protocol/index.ts';
import { demandPermission, type Recordings, type Services } from './request-context.ts';

/** @throws MillraceError `storage_unavailable` where recording is off */
export function recordingsOf({ recordings }: Pick<Services, 'recordings'>): Recordings {
  if (recordings !== undefined) return recordings;
  throw new MillraceError(
    'storage_unavailable',
    'recording is off on this server; whoever runs it sets MILLRACE_RECORDINGS',
  );
}

/** @throws MillraceError `not_authorised` for whoever may neither record the stream nor administer it */
export function demandRecord(identity: Identity, stream: StreamName): void {
  if (identity.may('admin', stream)) return;
  demandPermission(identity, 'record', stream);
}
