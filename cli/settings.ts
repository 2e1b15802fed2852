import { availableParallelism } from 'node:os';
import { hookUrl, keysUrl, secret, words } from './auth-value.ts';
import { CHANNEL_SETTINGS } from './channel-settings.ts';
import { ICE_SETTINGS } from './ice-settings.ts';
import { RECORDING_SETTINGS } from './recording-settings.ts';
import { recordingsLocation } from './recordings-value.ts';
import { REDIS_SETTINGS } from './redis-settings.ts';
import { optional, type Setting, secretly, withDefault } from './setting.ts';
import {
  addressRange,
  bitrate,
  bytes,
  choice,
  duration,
  file,
  host,
  hostPort,
  integer,
  ipAddress,
  list,
  origin,
  orOff,
  portRange,
} from './value.ts';
import { WEBHOOK_SETTINGS } from './webhook-settings.ts';

const MAX_WORKERS = 256;

/**
 * Every setting there is, in groups as the help shows them. A key gives its three names: `rtcPort` is
 * `MILLRACE_RTC_PORT`, `--rtc-port`, and `rtc_port` in the file.
 */
export const SETTING_GROUPS = {
  'Where it is reached': {
    listen: withDefault(
      hostPort,
      '127.0.0.1:8443',
      'Address of the page, of wss and of the API, over TLS. 0.0.0.0:8443 serves all of the network; that needs MILLRACE_AUTH too',
    ),
    localListen: withDefault(
      orOff(hostPort),
      '127.0.0.1:8080',
      'The same without TLS, for this machine only: browsers trust localhost, so no certificate warning comes up',
    ),
    metricsListen: withDefault(
      orOff(hostPort),
      '127.0.0.1:9464',
      'Address of /metrics, /livez and /readyz, over plain HTTP',
    ),
    allowedOrigins: optional(
      list(origin),
      'the server’s own page only',
      'Origins of web pages on other hosts that may use this server; * allows all',
    ),
    trustedProxies: optional(
      list(addressRange),
      'none',
      'Addresses or ranges (10.0.0.0/8) of proxies in front, whose X-Forwarded-For says where clients are',
    ),
  },
  'Who may use it': {
    auth: optional(
      choice('off'),
      'this machine only',
      'off lets everyone who reaches the server do everything. Without it, and without one of the next four, the server listens on loopback addresses only',
    ),
    authKey: secretly(
      optional(
        secret,
        'none',
        'Secret of 32 bytes or more that signs and checks tokens (HS256); docs/tokens.md tells about tokens. With it, or one of the next three, authorisation is on for everything',
      ),
    ),
    authKeyFile: optional(
      file('read'),
      'none',
      'File with such a secret, or with public keys as PEM, JWK or JWKS (RS256, ES256, EdDSA); read again when it changes',
    ),
    authJwksUrl: optional(
      keysUrl,
      'none',
      'Where an identity provider publishes its public keys (JWKS); asked again every 10 minutes, and for keys that are new',
    ),
    authUrl: optional(
      hookUrl,
      'none',
      'Web address that decides in the place of keys: it is asked by POST about each token, and answers with the claims (docs/tokens.md). While it does not answer nobody gets in',
    ),
    authUrlTimeout: withDefault(
      duration({ min: '100ms', max: '30s' }),
      '3s',
      'How long MILLRACE_AUTH_URL may take to answer',
    ),
    authUrlCache: withDefault(
      duration({ min: '0s', max: '1h' }),
      '30s',
      'How long its answer on a token counts for further requests with that token',
    ),
    authIssuer: optional(words, 'any', 'What the claim iss of tokens has to be'),
    authAudience: optional(words, 'any', 'What the claim aud of tokens has to be or to contain'),
    authExpiry: withDefault(
      choice('required', 'optional'),
      'required',
      'optional also takes tokens without the claim exp, which are good for ever',
    ),
    authRevokedFile: optional(
      file('read'),
      'none',
      'List of tokens that are no good any more: a line for each, jti ID for one token or sub NAME for all of a subject. Read again every 5 s; sessions with such tokens end',
    ),
    authGrace: withDefault(
      duration({ min: '0s', max: '10m' }),
      '10s',
      'How long a session lives on after its token has expired',
    ),
    tls: withDefault(
      choice('on', 'off'),
      'on',
      'off serves MILLRACE_LISTEN as plain HTTP and ws, for use behind a proxy that adds TLS',
    ),
    tlsCert: optional(
      file('read'),
      'a self-signed certificate, made at the first start and kept',
      'Certificate chain, a PEM file; goes with MILLRACE_TLS_KEY',
    ),
    tlsKey: optional(file('read'), 'see MILLRACE_TLS_CERT', 'Private key of the certificate, a PEM file'),
  },
  Media: {
    rtcListen: optional(
      list(ipAddress),
      'every address of this machine',
      'Addresses on which media is sent and received',
    ),
    rtcPort: withDefault(
      integer({ min: 0, max: 65_535 }),
      '20000',
      'UDP and TCP port for media of the first worker; each further worker takes the next one. 0 takes any free ports. Best below 32768, where Linux takes no ports for outgoing connections',
    ),
    announcedAddress: optional(
      list(host),
      'what it listens on',
      'What clients are told instead of the addresses of MILLRACE_RTC_LISTEN, one for each of them, where address translation stands between',
    ),
    pipeListen: withDefault(
      ipAddress,
      '127.0.0.1',
      'Address of this machine at which its media servers and recorders reach each other. It is told to the others as it is',
    ),
    pipePorts: withDefault(
      portRange,
      '21000-21199',
      'UDP ports for that: one for each other process, worker by worker. 0 takes any free ones',
    ),
    fanOut: withDefault(
      integer({ min: 1, max: 100 }),
      '8',
      'Media servers that may pull one stream from this one; further ones pull it from those, three deep at most',
    ),
    workers: withDefault(
      integer({ min: 1, max: MAX_WORKERS }),
      String(Math.min(availableParallelism(), MAX_WORKERS)),
      'Worker processes; one fills a core',
      'one for each core',
    ),
    workerBin: optional(
      file('execute'),
      'the one that npm start built',
      'Executable file of the patched mediasoup worker',
    ),
    codecs: withDefault(
      list(choice('opus', 'VP8', 'VP9', 'H264', 'AV1')),
      'opus,VP8,H264,VP9,AV1',
      'Codecs in order of preference; the ones left out are not accepted',
    ),
    maxBitrate: withDefault(
      bitrate({ min: '50k', max: '1G' }),
      '20M',
      'Upper limit for each publisher; what a client asks for is lowered to it',
    ),
    defaultBitrate: optional(
      bitrate({ min: '50k', max: '1G' }),
      'MILLRACE_MAX_BITRATE',
      'Limit for a publisher that asks for none',
    ),
  },
  Recording: {
    recordings: withDefault(
      orOff(recordingsLocation),
      './recordings',
      'Where recordings are kept: a folder, or a bucket in S3 or a store like it: s3://BUCKET/PREFIX?endpoint=https://HOST:PORT&region=NAME&ca=FILE&path_style=true|false, all behind ? as needed. Credentials come from where AWS’ own programs take them (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, a role). off refuses to record',
    ),
    ...RECORDING_SETTINGS,
  },
  Protocol: {
    replyMethod: withDefault(
      choice('echo', 'ack'),
      'echo',
      'What the method of a reply says: the request’s own, or ack. A client chooses for itself with /?reply=ack',
    ),
    heartbeatTimeout: withDefault(
      duration({ min: '1s', max: '1h' }),
      '30s',
      'Longest silence of a client that has sent a heartbeat once',
    ),
    resumeTimeout: withDefault(
      duration({ min: '1s', max: '1h' }),
      '60s',
      'How long a session, and what it publishes and plays, outlives its connection',
    ),
    handshakeTimeout: withDefault(
      duration({ min: '1s', max: '2m' }),
      '10s',
      'How long a TLS handshake, and an HTTP request with its body, may take',
    ),
    pingInterval: withDefault(duration({ min: '1s', max: '10m' }), '20s', 'Between WebSocket pings'),
    requestTimeout: withDefault(
      duration({ min: '1s', max: '2m' }),
      '10s',
      'Longest time to a reply; the wait_ms of a request comes on top',
    ),
    ...ICE_SETTINGS,
  },
  'Time-outs of media': {
    iceConsentTimeout: withDefault(
      duration({ min: '5s', max: '10m' }),
      '30s',
      'A peer that answers no ICE consent check for this long is lost (whole seconds)',
    ),
    connectTimeout: withDefault(
      duration({ min: '1s', max: '2m' }),
      '10s',
      'How long ICE and DTLS may take; a peer that is not connected after three times this is given up',
    ),
    lostMediaTimeout: withDefault(
      duration({ min: '1s', max: '1h' }),
      '60s',
      'How long a publication whose transport is lost waits for its publisher',
    ),
    generationOverlap: withDefault(
      duration({ min: '0s', max: '1m' }),
      '10s',
      'How long the old transport of a stream published anew is kept for its viewers',
    ),
    mediaIdleTimeout: withDefault(
      duration({ min: '500ms', max: '1m' }),
      '2s',
      'A publication without media for this long may be displaced by another publisher',
    ),
  },
  Limits: {
    maxConnections: withDefault(
      integer({ min: 1, max: 1_000_000 }),
      '12000',
      'WebSocket connections at once',
    ),
    maxConnectionsPerAddress: withDefault(
      integer({ min: 1, max: 1_000_000 }),
      '1000',
      'The same for one client address; a /64 of IPv6 counts as one, loopback has no limit. Behind a proxy that needs MILLRACE_TRUSTED_PROXIES',
    ),
    maxSessions: withDefault(
      integer({ min: 1, max: 2_000_000 }),
      '24000',
      'Sessions at once, those that wait for their client to come back included',
    ),
    maxStreamsPerSession: withDefault(
      integer({ min: 1, max: 10_000 }),
      '256',
      'Streams that one session publishes or plays at once',
    ),
    maxStreams: withDefault(integer({ min: 1, max: 1_000_000 }), '1000', 'Published streams at once'),
    maxViewers: withDefault(
      integer({ min: 1, max: 1_000_000 }),
      '10000',
      'Plays at once, of all streams together',
    ),
    maxBadMessages: withDefault(
      integer({ min: 1, max: 10_000 }),
      '20',
      'Bad messages in a row that a connection may send; it gets one back every 5 s',
    ),
    maxMessageSize: withDefault(bytes({ min: '16KiB', max: '4MiB' }), '256KiB', 'Size of a message'),
    maxSendBuffer: withDefault(
      bytes({ min: '64KiB', max: '64MiB' }),
      '1MiB',
      'What is held for a client that reads slowly',
    ),
    maxQueuedRequests: withDefault(
      integer({ min: 1, max: 10_000 }),
      '64',
      'Requests of one connection that wait for their reply at once',
    ),
    maxRequestRate: withDefault(
      integer({ min: 1, max: 100_000 }),
      '100',
      'Requests a second of one connection over time, each started 16 KiB of a message counted as one; three times as many may come at once',
    ),
    maxHttpRate: withDefault(
      integer({ min: 1, max: 100_000 }),
      '100',
      'HTTP requests a second of one client address, counted as for MILLRACE_MAX_CONNECTIONS_PER_ADDRESS: the page, the API, WHIP and WHEP; three times as many may come at once',
    ),
  },
  Webhooks: WEBHOOK_SETTINGS,
  'Shared registry': REDIS_SETTINGS,
  'Internal channel': CHANNEL_SETTINGS,
  Ending: {
    drainTimeout: withDefault(
      duration({ min: '0s', max: '1h' }),
      '60s',
      'How long a process of a cluster that gets SIGTERM may take to hand its streams, viewers or connections to the others; it ends when that is done. A second SIGTERM ends it at once',
    ),
  },
  Logs: {
    logLevel: withDefault(
      choice('trace', 'debug', 'info', 'warn', 'error', 'fatal'),
      'info',
      'Least level that is written',
    ),
    logFormat: optional(
      choice('json', 'pretty'),
      'pretty on a terminal, else json',
      'One JSON record a line, or text for people',
    ),
  },
} as const;

type Groups = typeof SETTING_GROUPS;
type UnionToIntersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void
  ? I
  : never;
type Table = UnionToIntersection<Groups[keyof Groups]>;

/** Every setting, parsed. Times in milliseconds, sizes in bytes, bitrates in bit/s. */
export type Settings = {
  readonly [Key in keyof Table]: Table[Key] extends Setting<infer T> ? T : never;
};

export type SettingKey = keyof Settings;

/** The table without its groups. */
export const SETTINGS = Object.assign({}, ...Object.values(SETTING_GROUPS)) as {
  readonly [Key in SettingKey]: Setting<Settings[Key]>;
};
