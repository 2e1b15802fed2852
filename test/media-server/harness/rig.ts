import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { observer } from 'mediasoup';
import type { Router, WebRtcServer, Worker } from 'mediasoup/types';
import { pino } from 'pino';
import { Registry as Metrics } from 'prom-client';
import { createMemoryRegistry } from '../../../adapters/registry/memory/memory.ts';
import type { MediaHandlers, MediaNotice } from '../../../core/channel/media.ts';
import { newSessionId, type SessionId } from '../../../core/protocol/session-id.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { NodeId } from '../../../core/registry/record.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import {
  createMediaServer,
  type MediaServer,
  type MediaServerSettings,
} from '../../../media-server/index.ts';
import { ensureWorker } from '../../../media-server/worker/cache.js';

const OFFERS = join(import.meta.dirname, '../../../core/sdp/offers');

export const SETTINGS: MediaServerSettings = {
  nodeId: 'node' as NodeId,
  version: '1',
  address: 'local',
  workerBin: '',
  workers: 1,
  rtcListen: [{ ip: '127.0.0.1' }],
  rtcPort: 0,
  pipeListen: '127.0.0.1',
  fanOut: 8,
  defaultBitrateBps: 0,
  maxBitrateBps: 4_000_000,
  codecs: ['opus', 'VP8', 'VP9', 'H264', 'AV1'],
  iceConsentTimeoutS: 30,
  connectTimeoutMs: 10_000,
  lostMediaTimeoutMs: 60_000,
  generationOverlapMs: 10_000,
  mediaIdleMs: 2000,
  limits: { streams: 100, viewers: 100 },
};

/** Objects in the workers, as the workers themselves count them. */
export interface ObjectCount {
  readonly transports: number;
  readonly producers: number;
  readonly consumers: number;
}

/** A media server with real workers, without signaling: its handlers are called as signaling would. */
export interface Rig {
  readonly server: MediaServer;
  readonly handlers: MediaHandlers;
  readonly registry: Registry;
  readonly metrics: Metrics;
  readonly notices: readonly MediaNotice[];
  /** Those that are alive, in the order of their start. */
  readonly workers: readonly Worker[];
  /** Process id of the worker that listens at a media port; undefined while none does. */
  workerAt(port: number): Promise<number | undefined>;
  /** Claims the stream and publishes. */
  publish(stream: string, session: SessionId, sdp: string, more?: PublishMore): Promise<Published>;
  play(stream: string, session: SessionId, sdp: string, events?: boolean): Promise<string>;
  count(): Promise<ObjectCount>;
  /** Ends every stream. */
  endAll(): Promise<void>;
  close(): Promise<void>;
}

export interface PublishMore {
  readonly epoch?: number;
  readonly displaces?: number;
  readonly maxBitrateBps?: number;
}

export interface Published {
  readonly sdp: string;
  readonly epoch: number;
}

export async function startRig(settings: Partial<MediaServerSettings> = {}): Promise<Rig> {
  const registry = createMemoryRegistry();
  const metrics = new Metrics();
  const workerBin = await ensureWorker();
  const all: MediaServerSettings = { ...SETTINGS, workerBin, ...settings };
  const server = createMediaServer(all, {
    registry,
    metrics,
    log: pino({ level: 'silent' }),
    pipeChannel: () => {
      throw new Error('a media server on its own pulls nothing');
    },
  });
  const notices: MediaNotice[] = [];
  server.onNotice((notice) => notices.push(notice));
  const started: Worker[] = [];
  const routers = new Map<Worker, Router[]>();
  const servers = new Map<Worker, WebRtcServer>();
  const onWorker = (worker: Worker) => {
    started.push(worker);
    routers.set(worker, []);
    worker.observer.on('newrouter', (router) => routers.get(worker)?.push(router));
    worker.observer.on('newwebrtcserver', (webRtcServer) => servers.set(worker, webRtcServer));
  };
  observer.on('newworker', onWorker);
  await server.start();
  const alive = () => started.filter((worker) => !worker.closed);
  const { handlers } = server;

  return {
    server,
    handlers,
    registry,
    metrics,
    notices,
    get workers() {
      return alive();
    },
    async workerAt(port) {
      for (const worker of alive()) {
        const dump = await servers.get(worker)?.dump();
        if (dump?.udpSockets.some((socket) => socket.port === port)) return worker.pid;
      }
      return undefined;
    },
    async publish(stream, session, sdp, { epoch, displaces, maxBitrateBps } = {}) {
      const name = stream as StreamName;
      const claimed = epoch ?? (await claim(registry, all.nodeId, name, session, displaces));
      const limit = maxBitrateBps === undefined ? {} : { maxBitrateBps };
      try {
        const reply = await handlers.publish({ stream: name, session, epoch: claimed, sdp, ...limit });
        return { sdp: reply.sdp, epoch: claimed };
      } catch (error) {
        // A fresh claim whose publish failed is signaling's to release.
        if (epoch === undefined) await registry.releaseStream(name, claimed);
        throw error;
      }
    },
    async play(stream, session, sdp, events = false) {
      return (await handlers.play({ stream: stream as StreamName, session, sdp, events })).sdp;
    },
    async count() {
      const dumps = await Promise.all(
        alive().flatMap((worker) => (routers.get(worker) ?? []).map((router) => router.dump())),
      );
      const sum = (read: (dump: (typeof dumps)[number]) => number) =>
        dumps.reduce((total, dump) => total + read(dump), 0);
      return {
        transports: sum(({ transportIds }) => transportIds.length),
        producers: sum(({ mapProducerIdConsumerIds }) => mapProducerIdConsumerIds.length),
        consumers: sum(({ mapConsumerIdProducerId }) => mapConsumerIdProducerId.length),
      };
    },
    async endAll() {
      const { streams } = await handlers.streams({ limit: 1000 });
      await Promise.all(streams.map(({ stream }) => handlers.end({ stream })));
    },
    async close() {
      observer.off('newworker', onWorker);
      await server.close();
    },
  };
}

async function claim(
  registry: Registry,
  node: NodeId,
  name: StreamName,
  session: SessionId,
  displaces: number | undefined,
): Promise<number> {
  const more = displaces === undefined ? {} : { displaces };
  const result = await registry.claimStream({ name, node, session, subject: '', ...more });
  if (!result.granted) throw new Error(`claim of ${name} refused: held with epoch ${result.holder.epoch}`);
  return result.epoch;
}

/** A captured offer; each call is another peer connection, with a fingerprint and ufrag of its own. */
export function offer(name: string): string {
  return restarted(readOffer(name)).replace(
    /a=fingerprint:sha-256 .*/g,
    `a=fingerprint:sha-256 ${[...randomBytes(32)].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':')}`,
  );
}

/** The same peer connection's offer with other tracks: those of a second captured offer. */
export function offerOfSamePeer(first: string, name: string): string {
  const line = (pattern: RegExp) => pattern.exec(first)?.[0] ?? '';
  return readOffer(name)
    .replace(/a=fingerprint:.*/g, line(/a=fingerprint:.*/))
    .replace(/a=ice-ufrag:.*/g, line(/a=ice-ufrag:.*/))
    .replace(/a=ice-pwd:.*/g, line(/a=ice-pwd:.*/));
}

/** The same offer with an ICE restart. */
export function restarted(sdp: string): string {
  const ufrag = randomBytes(6).toString('hex');
  const pwd = randomBytes(16).toString('hex');
  return sdp.replace(/a=ice-ufrag:.*/g, `a=ice-ufrag:${ufrag}`).replace(/a=ice-pwd:.*/g, `a=ice-pwd:${pwd}`);
}

function readOffer(name: string): string {
  return readFileSync(join(OFFERS, `${name}.sdp`), 'utf8');
}

export function session(): SessionId {
  return newSessionId(randomBytes);
}

/** The value of an attribute at its first place in an SDP. */
export function attribute(sdp: string, name: string): string | undefined {
  return new RegExp(`^a=${name}:(.*?)\\r?$`, 'm').exec(sdp)?.[1];
}

/** `audio 111`, `video 0`: kind and port or first payload type of each section that is not rejected. */
export function acceptedKinds(sdp: string): string[] {
  return [...sdp.matchAll(/^m=(\w+) (\d+)/gm)]
    .filter(([, , port]) => port !== '0')
    .map(([, kind]) => kind ?? '');
}
