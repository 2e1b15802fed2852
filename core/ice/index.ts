export { type IceServer, type IceServersSettings, iceServersFor, wantsCredentials } from './ice-servers.ts';
