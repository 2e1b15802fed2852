import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { NodeId } from '../core/registry/record.ts';
import type { MediaServerSettings, RtcAddress } from '../media-server/index.ts';
import { workerCachePath } from '../media-server/worker/cache.js';
import type { Certificate, SignalingSettings } from '../signaling/index.ts';
import { PROCESS_NAME } from './process-name.ts';
import type { Settings } from './settings.ts';

/**
 * What a media server is told, from what the person set.
 * @param address where the media server's channel is reached
 */
export function mediaServerSettings(
  settings: Settings,
  version: string,
  address: string,
): MediaServerSettings {
  return {
    // A nonce, so that a node that comes back is another incarnation.
    nodeId: `${hostname()}-${randomBytes(6).toString('hex')}` as NodeId,
    version,
    address,
    workerBin: settings.workerBin ?? workerCachePath(),
    workers: settings.workers,
    rtcListen: rtcAddresses(settings),
    rtcPort: settings.rtcPort,
    pipeListen: settings.pipeListen,
    pipePorts: settings.pipePorts,
    fanOut: settings.fanOut,
    defaultBitrateBps: settings.defaultBitrate ?? 0,
    maxBitrateBps: settings.maxBitrate,
    codecs: settings.codecs,
    iceConsentTimeoutS: Math.ceil(settings.iceConsentTimeout / 1000),
    connectTimeoutMs: settings.connectTimeout,
    lostMediaTimeoutMs: settings.lostMediaTimeout,
    generationOverlapMs: settings.generationOverlap,
    mediaIdleMs: settings.mediaIdleTimeout,
    limits: { streams: settings.maxStreams, viewers: settings.maxViewers },
  };
}

export function signalingSettings(
  settings: Settings,
  certificate: Certificate | undefined,
): SignalingSettings {
  const { listen, localListen, metricsListen } = settings;
  return {
    name: PROCESS_NAME,
    listeners: [
      { ...listen, ...(certificate ? { tls: certificate } : {}) },
      ...(localListen ? [localListen] : []),
    ],
    ...(metricsListen ? { metricsListen } : {}),
    replyMethod: settings.replyMethod,
    allowedOrigins: settings.allowedOrigins ?? [],
    trustedProxies: settings.trustedProxies ?? [],
    handshakeTimeoutMs: settings.handshakeTimeout,
    heartbeatTimeoutMs: settings.heartbeatTimeout,
    resumeMs: settings.resumeTimeout,
    pingIntervalMs: settings.pingInterval,
    requestTimeoutMs: settings.requestTimeout,
    tokenGraceMs: settings.authGrace,
    iceServers: {
      urls: settings.iceServers ?? [],
      turnTtlMs: settings.turnTtl,
      ...(settings.turnSecret !== undefined && { turnSecret: settings.turnSecret }),
    },
    limits: {
      connections: settings.maxConnections,
      connectionsPerAddress: settings.maxConnectionsPerAddress,
      sessions: settings.maxSessions,
      streamsPerSession: settings.maxStreamsPerSession,
      badMessages: settings.maxBadMessages,
      messageBytes: settings.maxMessageSize,
      sendBufferBytes: settings.maxSendBuffer,
      queuedRequests: settings.maxQueuedRequests,
      requestsPerSecond: settings.maxRequestRate,
      httpRequestsPerSecond: settings.maxHttpRate,
    },
  };
}

/** The checks made sure that the two lists fit together. */
export function rtcAddresses({
  rtcListen,
  announcedAddress,
}: Pick<Settings, 'rtcListen' | 'announcedAddress'>): readonly RtcAddress[] {
  if (rtcListen === undefined && announcedAddress === undefined) return [];
  return (rtcListen ?? ['0.0.0.0']).map((ip, index) => {
    const announced = announcedAddress?.[index];
    return { ip, ...(announced === undefined ? {} : { announcedAddress: announced }) };
  });
}
