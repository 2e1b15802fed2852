/**
 * The error table of the client protocol: every failure a client can be told of, once.
 *
 * A code has five digits: the first three are the HTTP status that WHIP, WHEP and /api/v1 answer with
 * (RFC 9110 section 15), the last two tell errors of one status apart. 4xxyy is the caller's fault and
 * fails again if repeated unchanged; 5xxyy may be retried later.
 */
export const ERROR_CODES = {
  malformed: 40001,
  unsupported_version: 40002,
  unknown_method: 40003,
  missing_field: 40004,
  invalid_field: 40005,
  invalid_sdp: 40006,
  no_common_codec: 40007,
  name_refused: 40008,
  token_invalid: 40101,
  token_expired: 40102,
  not_authorised: 40301,
  unknown_session: 40401,
  stream_not_found: 40402,
  recording_not_running: 40403,
  stream_already_published: 40901,
  session_taken_over: 40902,
  name_taken: 40903,
  stream_ended: 41001,
  too_large: 41301,
  codec_not_recordable: 41501,
  too_many: 42901,
  internal: 50001,
  no_media_server: 50301,
  registry_unavailable: 50302,
  storage_unavailable: 50303,
  cluster_api_unavailable: 50304,
  shutting_down: 50305,
  timed_out: 50401,
} as const;

export type ErrorName = keyof typeof ERROR_CODES;
export type ErrorCode = (typeof ERROR_CODES)[ErrorName];

/**
 * A failure with its place in the error table. `message` is what the client reads as `err_msg`: what was
 * wrong, with which value, and what to do.
 */
export class MillraceError extends Error {
  readonly errorName: ErrorName;

  constructor(errorName: ErrorName, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'MillraceError';
    this.errorName = errorName;
  }

  get code(): ErrorCode {
    return ERROR_CODES[this.errorName];
  }

  /** HTTP status of the same failure. */
  get httpStatus(): number {
    return Math.floor(this.code / 100);
  }
}

/** The failure as the table knows it; what is not in the table is `internal`, its details kept as the cause. */
export function toMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  return new MillraceError('internal', 'internal error; the server log has the details, try again', {
    cause: error,
  });
}
