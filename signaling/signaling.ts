import type { Logger } from 'pino';
import type { Registry as MetricsRegistry } from 'prom-client';
import type { Authoriser } from '../core/auth/index.ts';
import type { MediaChannel } from '../core/channel/media.ts';
import { iceServersFor } from '../core/ice/index.ts';
import { LoadForecast } from '../core/placement/load-forecast.ts';
import type { NodeEntry, NodeId } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';
import type { WebhookSink } from '../core/webhook/index.ts';
import type { Assets } from './assets.ts';
import { Connections } from './connections.ts';
import { EdgeDirectory } from './edge-directory.ts';
import { Handovers } from './handovers.ts';
import { HealthServer } from './http/health.ts';
import { HttpRouter } from './http/router.ts';
import { ClientLimits } from './limits/client-limits.ts';
import { Listener } from './listener.ts';
import { MediaLinks } from './media-links.ts';
import { signalingMetrics } from './metrics.ts';
import { Notices } from './notices.ts';
import { RecordingNews } from './recording-news.ts';
import type { Recordings, Services } from './request-context.ts';
import { Requests } from './requests.ts';
import { SessionRecords } from './session-records.ts';
import { SessionStore } from './session-store.ts';
import { SessionTokens } from './session-tokens.ts';
import type { Certificate, SignalingSettings } from './settings.ts';
import { StreamDirectory } from './stream-directory.ts';
import { WebhookNews } from './webhook-news.ts';

export interface SignalingDeps {
  readonly registry: Registry;
  /** Opens a channel to a media server; called once for each that is needed. */
  readonly mediaChannel: (node: NodeEntry) => MediaChannel;
  readonly authoriser: Authoriser;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  /** The page and the client's bundle; absent = only WebSockets and /api/v1. */
  readonly assets?: Assets;
  /** Absent = recording is off. */
  readonly recordings?: Recordings;
  /** Absent = nobody is told by webhooks. */
  readonly webhooks?: WebhookSink;
}

/** The signaling role: clients' WebSockets, /api/v1, the page, and what tells how all that fares. */
export interface Signaling {
  /** Resolves when every address listens. @throws the system's error, such as EADDRINUSE */
  start(): Promise<void>;
  /** The ports that it listens at, in the order of the settings' listeners. */
  readonly ports: readonly number[];
  /** Of /metrics, /livez and /readyz. */
  readonly metricsPort: number | undefined;
  /** New TLS connections get this certificate. @param listener its place in the settings */
  setCertificate(listener: number, certificate: Certificate): void;
  /**
   * Takes nothing new and sends the clients to other processes, spread over half of `timeoutMs` at most. Resolves
   * when all were sent; their sessions go on there, and media is not touched.
   */
  drain(timeoutMs: number): Promise<void>;
  /** Refuses new requests, closes every socket with 1012, and lets go of the rest. Once closed, it stays so. */
  close(): Promise<void>;
}

/** TCP connections beyond WebSockets: the page, /api/v1, handshakes that are under way. */
const HTTP_CONNECTIONS = 512;
/** What remains open that long after it was told to close is cut. */
const DRAIN_MS = 1000;
/** Clients that are sent to other processes come there no faster than one in this time. */
const PER_CLIENT_MS = 2;
const MAX_SWEEP_INTERVAL_MS = 1000;

export function createSignaling(settings: SignalingSettings, deps: SignalingDeps): Signaling {
  const { registry, metrics: metricsRegistry } = deps;
  const log = deps.log.child({ component: 'signaling' });
  const now = () => performance.now();

  const streams = new StreamDirectory(registry);
  const records = new SessionRecords({
    registry,
    signaling: settings.name,
    resumeMs: settings.resumeMs,
    now,
    onTaken: (session) => sessions.yield(session),
    log,
  });
  const stopLoss = registry.onLoss('sessions', () => records.renewAll());
  const links = new MediaLinks({
    registry,
    mediaChannel: deps.mediaChannel,
    onNotice: (notice, node) => notices.receive(notice, node),
    onLost: (node, end) => {
      notices.nodeLost(node);
      if (end === 'dead') reportDead(node);
    },
    now,
  });
  const sessions = new SessionStore({ settings, records, links, now, log });
  const tokens = new SessionTokens({
    graceMs: settings.tokenGraceMs,
    sessions,
    records,
    links,
    wallClock: Date.now,
    log,
  });
  const location = deps.recordings?.objects.location ?? '';
  const webhooks = new WebhookNews({ sink: deps.webhooks, location });
  const handovers = new Handovers({ links, log });
  const notices = new Notices({ sessions, records, streams, handovers, webhooks, log });
  const news = new RecordingNews({ sessions, streams, location });
  const stopNews = deps.recordings?.launcher.onEnded((record) => {
    webhooks.recordingEnded(record);
    void news.ended(record);
  });
  const services: Services = {
    settings,
    registry,
    links,
    sessions,
    records,
    streams,
    edges: new EdgeDirectory(links, now),
    handovers,
    forecast: new LoadForecast(),
    recordings: deps.recordings,
    news,
    webhooks,
    log,
    iceServers: (user) => iceServersFor(settings.iceServers, user, Date.now()),
    now,
    random: Math.random,
  };
  const metrics = signalingMetrics(metricsRegistry, {
    connections: () => connections.size,
    sessions: () => sessions.count(),
  });
  const requests = new Requests(services, deps.authoriser, tokens, metrics);
  const connections = new Connections({ settings, requests, metrics, now }, sessions);
  const router = new HttpRouter({
    services,
    authoriser: deps.authoriser,
    tokens,
    metrics,
    assets: deps.assets,
    shuttingDown: () => shuttingDown,
  });
  const clientLimits = new ClientLimits({
    trustedProxies: settings.trustedProxies,
    connectionsPerAddress: settings.limits.connectionsPerAddress,
    httpRequestsPerSecond: settings.limits.httpRequestsPerSecond,
    now,
  });
  const listeners = settings.listeners.map(
    (listener) =>
      new Listener({
        settings: listener,
        allowedOrigins: settings.allowedOrigins,
        replyMethod: settings.replyMethod,
        messageBytes: settings.limits.messageBytes,
        tcpConnections: settings.limits.connections + HTTP_CONNECTIONS,
        clientLimits,
        handshakeTimeoutMs: settings.handshakeTimeoutMs,
        stalledMs: settings.requestTimeoutMs + settings.handshakeTimeoutMs,
        admits: () => connections.admits(),
        onSocket: (socket, handshake) => connections.add(socket, handshake),
        onRefused: (status) => metrics.refused.inc({ code: String(status) }),
        onLimit: (limit) => metrics.limits.inc({ limit }),
        onHttp: (request, response) => router.handle(request, response),
      }),
  );
  const health =
    settings.metricsListen &&
    new HealthServer(settings.metricsListen, metricsRegistry, () => started && !draining && !shuttingDown);

  let started = false;
  let draining = false;
  let shuttingDown = false;
  let sweeper: NodeJS.Timeout | undefined;
  let closing: Promise<void> | undefined;

  /** Another observer's report, or the end of its lease, makes it final: it is fenced. */
  function reportDead(node: NodeId): void {
    registry.reportDeadNode(node, settings.name).then(
      (fenced) => log.warn({ node, fenced }, 'reported a dead media server'),
      (error: unknown) => log.warn({ node, err: error }, 'a dead media server could not be reported'),
    );
  }

  async function start(): Promise<void> {
    const servers = [...listeners, ...(health ? [health] : [])];
    const starts = await Promise.allSettled(servers.map((server) => server.listen()));
    const failed = starts.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) {
      await finish();
      throw failed.reason;
    }
    started = true;
    sweeper = setInterval(() => {
      connections.sweep(now());
      sessions.sweep();
      tokens.sweep();
      records.sweep();
    }, sweepIntervalMs(settings));
    log.info({ ports: listeners.map(({ port }) => port) }, 'signaling started');
  }

  async function drain(timeoutMs: number): Promise<void> {
    if (draining || shuttingDown) return;
    draining = true;
    for (const listener of listeners) listener.stop();
    log.info({ connections: connections.size }, 'draining');
    await connections.leave(Math.min(timeoutMs / 2, connections.size * PER_CLIENT_MS));
    log.info('drained');
  }

  async function close(): Promise<void> {
    shuttingDown = true;
    for (const listener of listeners) listener.stop();
    connections.close();
    await Promise.all([connections.drain(DRAIN_MS), sessions.leave()]);
    clearInterval(sweeper);
    stopLoss();
    stopNews?.();
    links.close();
    for (const listener of listeners) listener.destroy();
    health?.close();
    log.info('signaling closed');
  }

  function finish(): Promise<void> {
    closing ??= close();
    return closing;
  }

  return {
    start,
    get ports() {
      return listeners.map(({ port }) => port);
    },
    get metricsPort() {
      return health?.port;
    },
    setCertificate(listener, certificate) {
      listeners[listener]?.setCertificate(certificate);
    },
    drain,
    close: finish,
  };
}

/** Often enough for the shortest of the times that are watched. */
function sweepIntervalMs({ heartbeatTimeoutMs, resumeMs, pingIntervalMs }: SignalingSettings): number {
  const shortest = Math.min(heartbeatTimeoutMs, resumeMs, pingIntervalMs);
  return Math.max(10, Math.min(MAX_SWEEP_INTERVAL_MS, shortest / 5));
}
