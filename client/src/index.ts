/// <reference lib="dom" preserve="true" />
export { type ClientEvents, type ClientOptions, connect, MillraceClient } from './client.ts';
export { type ErrorName, MillraceError } from './error.ts';
export { ERROR_CODES } from './error-code.ts';
export type { EncodingStats, MediaStats } from './media-stats.ts';
export type { PublishOptions, VideoCodec } from './offer.ts';
export type { PeerConnectionConstructor } from './peer.ts';
export type { Playback, PlaybackEvents, PlayOptions } from './playback.ts';
export type { Publication } from './publication.ts';
export type { SessionState } from './session.ts';
export type { WebSocketConstructor, WebSocketLike } from './socket.ts';
export type { Ended, MuteState, StreamEvents } from './stream-events.ts';
