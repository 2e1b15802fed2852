import { Counter, Gauge, Histogram, type Registry as MetricsRegistry } from 'prom-client';
import { CLOSE_CODES } from '../core/protocol/index.ts';

/** What a refusal is counted under; each has its setting or is told in docs/security.md. */
export type SignalingLimit =
  | 'tcp_connections'
  | 'tcp_connections_per_address'
  | 'handshake_time'
  | 'headers'
  | 'connections'
  | 'connections_per_address'
  | 'message_bytes'
  | 'http_rate'
  | 'request_rate'
  | 'queued_requests'
  | 'bad_messages'
  | 'send_buffer';

/** What this role counts. No label names a stream or a session. */
export interface SignalingMetrics {
  readonly requests: Histogram<'method' | 'code'>;
  readonly badMessages: Counter<'code'>;
  readonly closes: Counter<'code'>;
  readonly events: Counter<'method'>;
  readonly refused: Counter<'code'>;
  readonly limits: Counter<'limit'>;
  readonly http: Counter<'method' | 'code'>;
}

/** @param count read when metrics are collected */
export function signalingMetrics(
  registry: MetricsRegistry,
  count: {
    readonly connections: () => number;
    readonly sessions: () => { attached: number; detached: number };
  },
): SignalingMetrics {
  const registers = [registry];
  new Gauge({
    name: 'millrace_signaling_connections',
    help: 'WebSockets open now',
    registers,
    collect() {
      this.set(count.connections());
    },
  });
  new Gauge({
    name: 'millrace_signaling_sessions',
    help: 'Sessions now; detached ones wait for their client to come back',
    labelNames: ['state'],
    registers,
    collect() {
      const { attached, detached } = count.sessions();
      this.set({ state: 'attached' }, attached);
      this.set({ state: 'detached' }, detached);
    },
  });
  return {
    requests: new Histogram({
      name: 'millrace_signaling_request_duration_seconds',
      help: 'Time from a request to its reply, by method and error code (0 = success); wait_ms is included',
      labelNames: ['method', 'code'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    badMessages: new Counter({
      name: 'millrace_signaling_bad_messages_total',
      help: 'Messages that could not be read or were more than may wait, by error code',
      labelNames: ['code'],
      registers,
    }),
    closes: new Counter({
      name: 'millrace_signaling_closes_total',
      help: 'WebSockets closed, by close code',
      labelNames: ['code'],
      registers,
    }),
    events: new Counter({
      name: 'millrace_signaling_events_total',
      help: 'Events sent to clients, by method',
      labelNames: ['method'],
      registers,
    }),
    refused: new Counter({
      name: 'millrace_signaling_refused_handshakes_total',
      help: 'Opening handshakes of WebSockets answered with an HTTP status instead: 403 is an origin',
      labelNames: ['code'],
      registers,
    }),
    limits: new Counter({
      name: 'millrace_signaling_refused_total',
      help: 'What was refused because a limit of connections or messages was reached, by limit',
      labelNames: ['limit'],
      registers,
    }),
    http: new Counter({
      name: 'millrace_signaling_http_requests_total',
      help: 'HTTP requests, by method and status',
      labelNames: ['method', 'code'],
      registers,
    }),
  };
}

const KNOWN_CODES: ReadonlySet<number> = new Set([...Object.values(CLOSE_CODES), 1001, 1005, 1006]);

/** Clients may close with any code: what is not known is counted together. */
export function closeCodeLabel(code: number): string {
  return KNOWN_CODES.has(code) ? String(code) : 'other';
}
