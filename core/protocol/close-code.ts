/** Codes with which the server closes a WebSocket (RFC 6455 section 7.4). 4xxx are Millrace's own. */
export const CLOSE_CODES = {
  /** Both sides are done. */
  normal: 1000,
  /** A frame that is not text, or not UTF-8. */
  unsupported_data: 1003,
  /** Not allowed here: an origin or a token that was refused. */
  policy: 1008,
  /** A message above the size limit. */
  message_too_large: 1009,
  /** The server restarts, or media was lost for good: connect again and start over. */
  service_restart: 1012,
  /** Too many connections; come back later. */
  try_again_later: 1013,
  /** Another connection took this session over. Do not reconnect with it. */
  session_taken_over: 4001,
  /** No heartbeat within the heartbeat time-out. The session can be resumed. */
  heartbeat_timeout: 4002,
  /** The connection used up its allowance of bad messages. */
  too_many_bad_messages: 4003,
  /** An operator ended the session. */
  session_ended: 4004,
  /** The client reads too slowly: its send buffer passed the limit. */
  slow_reader: 4005,
} as const;

export type CloseReason = keyof typeof CLOSE_CODES;
