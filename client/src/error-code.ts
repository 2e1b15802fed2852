/**
 * Error codes of the server, as docs/protocol.md lists them: 4xxyy is the caller's fault and fails again if
 * repeated unchanged, 5xxyy may be retried later. A test holds this table against the server's.
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

export type ServerErrorName = keyof typeof ERROR_CODES;
