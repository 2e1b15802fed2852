import { MillraceError } from '../core/protocol/error.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';

export function alreadyPublished(name: StreamName): MillraceError {
  return new MillraceError(
    'stream_already_published',
    `"${name}" was published by another session meanwhile; choose another name, or wait until it ends`,
  );
}

export function endedMeanwhile(name: StreamName, cause?: unknown): MillraceError {
  return new MillraceError('stream_ended', `the stream "${name}" has ended meanwhile; publish it again`, {
    cause,
  });
}

export function notPublishing(name: StreamName): MillraceError {
  return new MillraceError('stream_not_found', `this session does not publish "${name}"; publish it first`);
}

export function draining(): MillraceError {
  return new MillraceError('no_media_server', 'this media server takes no new streams any more; try again');
}
