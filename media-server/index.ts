/** The media-server role: mediasoup workers, the streams on them, and their viewers. */
export { listenAddresses } from './addresses.ts';
export { createMediaServer, type MediaServer } from './media-server.ts';
export { type PortState, probePort } from './port-probe.ts';
export type { MediaServerSettings, RtcAddress } from './settings.ts';
export { HOW_TO_BUILD_WORKER, workerProblem } from './worker/identity.ts';
export { SOCKET_BUFFER_BYTES } from './worker.ts';
