import type { RouterRtpCodecCapability } from 'mediasoup/types';
import type { Codec } from '../core/channel/media.ts';

/** H264 profiles as browsers offer them: constrained baseline, baseline, main, high and constrained high. */
const H264_PROFILES = ['42e01f', '42001f', '4d001f', '64001f', '640c1f'];

const video = (mimeType: string, parameters: Record<string, unknown> = {}): RouterRtpCodecCapability => ({
  kind: 'video',
  mimeType,
  clockRate: 90_000,
  parameters,
});

const CAPABILITIES: Readonly<Record<Codec, readonly RouterRtpCodecCapability[]>> = {
  opus: [{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48_000, channels: 2 }],
  VP8: [video('video/VP8')],
  VP9: [video('video/VP9', { 'profile-id': 0 }), video('video/VP9', { 'profile-id': 2 })],
  H264: H264_PROFILES.map((profile) =>
    video('video/H264', {
      'packetization-mode': 1,
      'level-asymmetry-allowed': 1,
      'profile-level-id': profile,
    }),
  ),
  AV1: [video('video/AV1')],
};

/** What each worker's router can carry; a codec has one entry for each variant that must match exactly. */
export function routerCodecs(codecs: readonly Codec[]): RouterRtpCodecCapability[] {
  return codecs.flatMap((codec) => [...CAPABILITIES[codec]]);
}
