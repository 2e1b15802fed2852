/** The media-server role: mediasoup workers, the streams on them, and their viewers. */
export { createMediaServer, type MediaServer } from './media-server.ts';
export type { MediaServerSettings, RtcAddress } from './settings.ts';
