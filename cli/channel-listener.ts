import { networkInterfaces } from 'node:os';
import type { Logger } from 'pino';
import { Counter, Gauge, type Registry as MetricsRegistry } from 'prom-client';
import type { AnyServe } from '../adapters/channel/websocket/answering.ts';
import { ChannelServer } from '../adapters/channel/websocket/server.ts';
import type { ServiceName } from '../core/channel/service.ts';
import type { ChannelAccess } from './channel-access.ts';
import { isLoopback } from './loopback.ts';
import type { Settings } from './settings.ts';

/** Handlers of one connection at once: far above what one signaling process has under way. */
const MAX_CALLS_IN_FLIGHT = 20_000;
/** Refusals are told at most once in this time; whoever is refused may come back as often as it likes. */
const TELL_INTERVAL_MS = 10_000;

export interface ChannelListener {
  /** Where other processes reach it, such as `ws://10.0.0.7:9444`. */
  readonly address: string;
  /** Takes connections to a service from now on. */
  serve(service: ServiceName, serve: AnyServe): void;
  close(): Promise<void>;
}

/**
 * Listens for other processes; what they are served is said afterwards, by `serve`, as each role is made.
 * @throws the system's error, such as EADDRINUSE
 */
export async function startChannelListener(
  settings: Settings,
  { access, log, metrics }: { access: ChannelAccess; log: Logger; metrics: MetricsRegistry },
): Promise<ChannelListener> {
  const registers = [metrics];
  const refused = new Counter({
    name: 'millrace_channel_refused_total',
    help: 'Opening handshakes of the internal channel that were refused, by HTTP status',
    labelNames: ['status'],
    registers,
  });
  const gone = new Counter({
    name: 'millrace_channel_gone_total',
    help: 'Connections of the internal channel that other processes had here and that ended, by cause',
    labelNames: ['service', 'why'],
    registers,
  });
  const tell = seldom((refusal: object, others: number) =>
    log.warn({ ...refusal, others }, 'a process was not let in'),
  );
  const server = new ChannelServer({
    listen: settings.channelListen,
    secrets: access.secrets,
    ...(access.certificate && { tls: access.certificate.get() }),
    maxCallsInFlight: MAX_CALLS_IN_FLIGHT,
    limits: { heartbeatMs: settings.channelHeartbeat },
    onError: (error, call) => log.error({ err: error, call }, 'a call over the channel failed'),
    onRefused: (refusal) => {
      refused.inc({ status: String(refusal.status) });
      tell(refusal);
    },
    onGone: (service, { why, detail }) => {
      gone.inc({ service, why });
      log[why.startsWith('closed') ? 'debug' : 'info']({ service, why, detail }, 'a channel is gone');
    },
  });
  new Gauge({
    name: 'millrace_channel_connections',
    help: 'Connections that other processes have here now',
    registers,
    collect() {
      this.set(server.size);
    },
  });
  access.certificate?.onRenewed((certificate) => server.setCertificate(certificate));
  await server.listen();
  const address = channelAddress(settings, server.port);
  log.info({ address }, 'channel listens');
  return { address, serve: (name, serve) => server.serve(name, serve), close: () => server.close() };
}

/** What other processes are told. */
export function channelAddress(
  {
    channelListen,
    channelAddress: announced,
    channelTlsCa,
  }: Pick<Settings, 'channelListen' | 'channelAddress' | 'channelTlsCa'>,
  port: number,
  interfaces: ReturnType<typeof networkInterfaces> = networkInterfaces(),
): string {
  const host = announced ?? (isAny(channelListen.host) ? firstAddress(interfaces) : channelListen.host);
  const scheme = channelTlsCa === undefined ? 'ws' : 'wss';
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isAny(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** IPv4 before IPv6, and loopback only where there is nothing else. */
function firstAddress(interfaces: ReturnType<typeof networkInterfaces>): string {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  const reached = all.filter(({ address, scopeid }) => !isLoopback(address) && !scopeid);
  const first = reached.find(({ family }) => family === 'IPv4') ?? reached[0];
  return first?.address ?? '127.0.0.1';
}

function seldom(tell: (what: object, others: number) => void): (what: object) => void {
  let toldAtMs = Number.NEGATIVE_INFINITY;
  let others = 0;
  return (what) => {
    const nowMs = performance.now();
    if (nowMs - toldAtMs < TELL_INTERVAL_MS) {
      others += 1;
      return;
    }
    tell(what, others);
    toldAtMs = nowMs;
    others = 0;
  };
}
