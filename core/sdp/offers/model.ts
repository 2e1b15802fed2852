import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  generateRouterRtpCapabilities,
  getConsumableRtpParameters,
  getConsumerRtpParameters,
  getProducerRtpParametersMapping,
  validateAndNormalizeRtpCapabilities,
  validateAndNormalizeRtpParameters,
} from 'mediasoup/ortc';
import type { Codec } from '../../channel/media.ts';
import {
  type AnswerOptions,
  answerPlay,
  answerPublish,
  type Offer,
  type PlayedTrack,
  type PlayPlan,
  type ProducerDescription,
  type PublishPlan,
  parseOffer,
  planPlay,
  planPublish,
  type TransportDescription,
} from '../index.ts';

/** A mediasoup router and transport by mediasoup's own rules, without a worker. */
export const ROUTER = generateRouterRtpCapabilities([
  { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
  { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
  { kind: 'video', mimeType: 'video/VP9', clockRate: 90000 },
  {
    kind: 'video',
    mimeType: 'video/H264',
    clockRate: 90000,
    parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
  },
  { kind: 'video', mimeType: 'video/AV1', clockRate: 90000 },
]);

export const ALL_CODECS: readonly Codec[] = ['opus', 'VP8', 'VP9', 'H264', 'AV1'];

export const TRANSPORT: TransportDescription = {
  iceParameters: {
    usernameFragment: 'u3s9serverufrag',
    password: 'p8x1serverpasswordof32characters',
    iceLite: true,
  },
  iceCandidates: [
    {
      foundation: 'udpcandidate',
      priority: 1076302079,
      ip: '192.0.2.9',
      address: '192.0.2.9',
      protocol: 'udp',
      port: 40000,
      type: 'host',
    },
    {
      foundation: 'tcpcandidate',
      priority: 1076276479,
      ip: '192.0.2.9',
      address: '192.0.2.9',
      protocol: 'tcp',
      port: 40000,
      type: 'host',
      tcpType: 'passive',
    },
  ],
  fingerprints: [
    { algorithm: 'sha-512', value: digest(64) },
    { algorithm: 'sha-256', value: digest(32) },
  ],
};

function digest(bytes: number): string {
  return Array.from({ length: bytes }, (_, index) => (index + 16).toString(16).toUpperCase()).join(':');
}

export const OPTIONS: AnswerOptions = { sessionId: '7719', sessionVersion: 1, maxBitrateBps: 1_500_000 };

export function offerNames(): string[] {
  return readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.sdp'))
    .map((name) => name.slice(0, -'.sdp'.length))
    .sort();
}

export function readOffer(name: string): string {
  return readFileSync(join(import.meta.dirname, `${name}.sdp`), 'utf8');
}

/** What `transport.produce()` makes of a plan; throws as it does. */
export function produce(plan: PublishPlan): ProducerDescription[] {
  return plan.tracks.map(({ kind, codec, rtpParameters }) => {
    const parameters = structuredClone(rtpParameters);
    validateAndNormalizeRtpParameters(parameters);
    const mapping = getProducerRtpParametersMapping(parameters, ROUTER);
    return {
      id: `${kind}-producer`,
      kind,
      codec,
      consumableRtpParameters: getConsumableRtpParameters(kind, parameters, ROUTER, mapping),
    };
  });
}

/** What `transport.consume()` makes of a plan; throws as it does. */
export function consume(plan: PlayPlan, streamId = 'stream-1'): PlayedTrack[] {
  return plan.tracks.map(({ mid, kind, consumable, rtpCapabilities }) => {
    const capabilities = structuredClone(rtpCapabilities);
    validateAndNormalizeRtpCapabilities(capabilities);
    const rtpParameters = getConsumerRtpParameters({
      consumableRtpParameters: consumable,
      remoteRtpCapabilities: capabilities,
      pipe: false,
      enableRtx: kind === 'video',
    });
    return { mid, streamId, rtpParameters };
  });
}

export interface Published {
  readonly offer: Offer;
  readonly plan: PublishPlan;
  readonly producers: readonly ProducerDescription[];
  readonly answer: string;
}

/** From the text of a publisher's offer to the text of its answer. */
export function publish(text: string, codecs: readonly Codec[] = ALL_CODECS, options = OPTIONS): Published {
  const offer = parseOffer(text);
  const plan = planPublish(offer, { codecs, router: ROUTER });
  const producers = produce(plan);
  return { offer, plan, producers, answer: answerPublish(offer, plan, TRANSPORT, options) };
}

export interface Played {
  readonly offer: Offer;
  readonly plan: PlayPlan;
  readonly tracks: readonly PlayedTrack[];
  readonly answer: string;
}

/** From the text of a viewer's offer to the text of its answer. */
export function play(text: string, producers: readonly ProducerDescription[], options = OPTIONS): Played {
  const offer = parseOffer(text);
  const plan = planPlay(offer, producers);
  const tracks = consume(plan);
  return { offer, plan, tracks, answer: answerPlay(offer, plan, TRANSPORT, tracks, options) };
}

/** A stream as Chromium publishes it with Opus and a video codec. */
export function streamOf(video: Exclude<Codec, 'opus'>): readonly ProducerDescription[] {
  return publish(readOffer(`chromium-publish-${video.toLowerCase()}`)).producers;
}
