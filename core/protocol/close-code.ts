/** Codes with which the server closes a WebSocket (RFC 6455 section 7.4). 4xxx are Millrace's own. */
export const CLOSE_CODES = {
  normal: 1000,
  unsupported_data: 1003,
  policy: 1008,
  message_too_large: 1009,
  service_restart: 1012,
  try_again_later: 1013,
  session_taken_over: 4001,
  heartbeat_timeout: 4002,
  too_many_bad_messages: 4003,
  session_ended: 4004,
  slow_reader: 4005,
} as const;

export type CloseReason = keyof typeof CLOSE_CODES;

/** What each code tells the client. Short enough for a close frame's reason (123 bytes of UTF-8). */
export const CLOSE_MEANINGS: Readonly<Record<CloseReason, string>> = {
  normal: 'both sides are done',
  unsupported_data: 'a frame that is not text, or not UTF-8',
  policy: 'not allowed here: the token expired; the reason says so',
  message_too_large: 'a message above the size limit',
  service_restart: 'the server restarts, or media was lost for good: connect again and start over',
  try_again_later: 'too many connections: come back later',
  session_taken_over: 'another connection took this session over: do not reconnect with it',
  heartbeat_timeout: 'no heartbeat within the heartbeat time-out: the session can be resumed',
  too_many_bad_messages: 'the allowance of bad messages is used up',
  session_ended: 'an operator ended the session',
  slow_reader: 'the client reads too slowly',
};
