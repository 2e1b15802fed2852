export { type Asset, type Assets, asset, readAssets } from './assets.ts';
export { HealthServer } from './http/health.ts';
export {
  type Certificate,
  type ListenAddress,
  type ListenerSettings,
  SIGNALING_DEFAULTS,
  type SignalingLimits,
  type SignalingSettings,
} from './settings.ts';
export { createSignaling, type Signaling, type SignalingDeps } from './signaling.ts';
