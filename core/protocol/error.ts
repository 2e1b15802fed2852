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
  token_revoked: 40103,
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
  authorisation_unavailable: 50306,
  timed_out: 50401,
} as const;

export type ErrorName = keyof typeof ERROR_CODES;

/** Each error in one line, the same for every occurrence: the title of its problem (RFC 9457 section 3.1.3). */
export const ERROR_TITLES: Readonly<Record<ErrorName, string>> = {
  malformed: 'The message is not one JSON object',
  unsupported_version: 'This server does not speak that version of the protocol',
  unknown_method: 'There is no such method',
  missing_field: 'A field is missing',
  invalid_field: 'A field has a value that it cannot have',
  invalid_sdp: 'The SDP cannot be used as an offer',
  no_common_codec: 'The offer and the server or the stream have no codec in common',
  name_refused: 'The file name is not allowed',
  token_invalid: 'The token is missing or cannot be trusted',
  token_expired: 'The token has expired',
  token_revoked: 'The token was taken back',
  not_authorised: 'The token does not allow this',
  unknown_session: 'There is no such session, or it has expired',
  stream_not_found: 'There is no such stream',
  recording_not_running: 'There is no such recording running',
  stream_already_published: 'Another session publishes this stream',
  session_taken_over: 'Another connection took this session over',
  name_taken: 'The file name is taken',
  stream_ended: 'The stream ended meanwhile',
  too_large: 'Something is larger than allowed',
  codec_not_recordable: 'The codec of the stream cannot be recorded',
  too_many: 'A limit on the number of something is reached',
  internal: 'The server failed',
  no_media_server: 'No media server can take the stream now',
  registry_unavailable: 'The registry cannot be reached now',
  storage_unavailable: 'The storage cannot be reached now',
  cluster_api_unavailable: 'The cluster API cannot be reached now',
  shutting_down: 'The server is shutting down',
  authorisation_unavailable: 'Tokens cannot be checked now',
  timed_out: 'It took too long',
};
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
