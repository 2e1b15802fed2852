import type { IceServersSettings } from '../core/ice/index.ts';
import type { ReplyMethod } from '../core/protocol/index.ts';
import type { AddressRange } from './limits/client-address.ts';

export interface Certificate {
  /** PEM, the chain included. */
  readonly cert: string | Buffer;
  /** PEM. */
  readonly key: string | Buffer;
}

export interface ListenAddress {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

export interface ListenerSettings extends ListenAddress {
  /** Absent = plain HTTP and ws. */
  readonly tls?: Certificate;
}

export interface SignalingLimits {
  /** WebSockets at once; one more is closed with 1013. */
  readonly connections: number;
  /** WebSockets of one client address at once (an IPv6 /64 counts as one); one more is answered 429. */
  readonly connectionsPerAddress: number;
  /** Sessions at once, those that wait for their client to come back included. */
  readonly sessions: number;
  /** Streams that one session publishes or plays at once. */
  readonly streamsPerSession: number;
  /** Bad messages that a connection may send in a row; it gets one back every 5 s. One more closes with 4003. */
  readonly badMessages: number;
  /** A larger message closes its connection with 1009. */
  readonly messageBytes: number;
  /** What the server holds for a client that reads slowly; above that it closes with 4005. */
  readonly sendBufferBytes: number;
  /** Requests of one connection that wait for their reply at once. */
  readonly queuedRequests: number;
  /** Requests of one connection over time; three seconds' worth may come at once. */
  readonly requestsPerSecond: number;
  /** HTTP requests of one client address over time; three seconds' worth may come at once, one more is answered 429. */
  readonly httpRequestsPerSecond: number;
}

export interface SignalingSettings {
  /** Name of this process in session records and logs. */
  readonly name: string;
  readonly listeners: readonly ListenerSettings[];
  /** Where /metrics, /livez and /readyz are served; absent = nowhere. */
  readonly metricsListen?: ListenAddress;
  /** What a reply's `method` says unless the client chooses. */
  readonly replyMethod: ReplyMethod;
  /** Origins (RFC 6454) of web pages on other hosts that may use this server; `*` = all. */
  readonly allowedOrigins: readonly string[];
  /** Proxies whose `X-Forwarded-For` says where clients are. */
  readonly trustedProxies: readonly AddressRange[];
  /** Longest time for a TLS handshake, and for an HTTP request with its body. */
  readonly handshakeTimeoutMs: number;
  /** Longest silence of a client that has sent a heartbeat once. */
  readonly heartbeatTimeoutMs: number;
  /** How long a session outlives its socket. */
  readonly resumeMs: number;
  readonly pingIntervalMs: number;
  /** Longest time to a reply; `wait_ms` comes on top. */
  readonly requestTimeoutMs: number;
  /** How long a session lives on after its token has expired. */
  readonly tokenGraceMs: number;
  /** What clients are told of STUN and TURN. */
  readonly iceServers: IceServersSettings;
  readonly limits: SignalingLimits;
}

/** All but name and addresses, which only the one who starts it knows. */
export const SIGNALING_DEFAULTS = {
  replyMethod: 'echo',
  allowedOrigins: [],
  trustedProxies: [],
  handshakeTimeoutMs: 10_000,
  heartbeatTimeoutMs: 30_000,
  resumeMs: 60_000,
  pingIntervalMs: 20_000,
  requestTimeoutMs: 10_000,
  tokenGraceMs: 10_000,
  iceServers: { urls: [], turnTtlMs: 6 * 3_600_000 },
  limits: {
    connections: 12_000,
    connectionsPerAddress: 1000,
    sessions: 24_000,
    streamsPerSession: 256,
    badMessages: 20,
    messageBytes: 256 * 1024,
    sendBufferBytes: 1024 * 1024,
    queuedRequests: 64,
    requestsPerSecond: 100,
    httpRequestsPerSecond: 100,
  },
} as const satisfies Omit<SignalingSettings, 'name' | 'listeners'>;
