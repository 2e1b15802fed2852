import { MillraceError, toMillraceError } from '../../core/protocol/error.ts';

/** What crosses to the caller of a failure: its place in the table and its message, no cause. */
export function asSent(error: unknown): MillraceError {
  const { errorName, message } = toMillraceError(error);
  return new MillraceError(errorName, message);
}

export function closedError(): MillraceError {
  return new MillraceError('no_media_server', 'the connection to the media server is closed; try again');
}

export function overdueError(call: string, timeoutMs: number): MillraceError {
  return new MillraceError('timed_out', `no reply to "${call}" within ${timeoutMs} ms; try again`);
}

export function tooManyCallsError(call: string, limit: number): MillraceError {
  return new MillraceError('too_many', `"${call}" would be more than ${limit} calls at once; try again`);
}
