/**
 * The client protocol, version 1.0, pure: what clients and server write to each other over a WebSocket.
 * docs/protocol.md is its document.
 */
export { Allowance } from './allowance.ts';
export { CLOSE_CODES, CLOSE_MEANINGS, type CloseReason } from './close-code.ts';
export { type DecodedRequest, type DecodeResult, decodeRequest, type RequestEcho } from './decode.ts';
export { encodeError, encodeEvent, encodeReply, type ReplyHead } from './encode.ts';
export {
  ERROR_CODES,
  ERROR_TITLES,
  type ErrorCode,
  type ErrorName,
  MillraceError,
  toMillraceError,
} from './error.ts';
export { END_REASONS, EVENT_METHODS, EVENT_SCHEMAS, type EventData, type EventMethod } from './event.ts';
export { type Handshake, type HandshakeResult, parseHandshake } from './handshake.ts';
export {
  MAX_SDP_CHARACTERS,
  METHODS,
  type Method,
  PROTOCOL_VERSION,
  REQUEST_SCHEMAS,
  type RequestData,
  type RequestId,
} from './message.ts';
export { ErrorReplySchema, REPLY_SCHEMAS, type ReplyData, type ReplyMethod } from './reply.ts';
export {
  newSessionId,
  type PublicSessionId,
  parseSessionId,
  publicSessionId,
  type SessionId,
} from './session-id.ts';
export { parseStreamName, type StreamName } from './stream-name.ts';
