import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress, RedisTarget } from './target.ts';

const CONNECT_TIMEOUT_MS = 1000;
const ONCE = { lazyConnect: true, retryStrategy: null } as const;
const MAX_BACK_OFF_MS = 1000;
const LASTING_MS = 1000;
/** How often a connection is given up because a server that takes no writes may no longer be the master. */
const READONLY_RECONNECT_MS = 1000;

export type RedisClient = Redis | Cluster;

/** A client that reconnects by itself, and whose calls fail as long as it has no connection. */
export function connect(target: RedisTarget, label: string): RedisClient {
  if (target.kind !== 'cluster') {
    const retry = new Retry();
    const retryStrategy = () => retry.delayMs();
    const client = new Redis({ ...optionsOf(target, label), ...placeOf(target), retryStrategy });
    client.on('close', () => Object.assign(client.options, passwordsOf(target)));
    client.on('ready', () => {
      if (!client.stream.destroyed) return retry.made();
      // Without a ready check ioredis calls a connection ready that was cut before its first answer came, and makes no
      // other then. So does whatever stands before a Redis that is away, if it takes connections all the same.
      if (client.status === 'ready') client.status = 'reconnecting';
    });
    return client;
  }
  return new Cluster([...target.nodes], {
    redisOptions: {
      ...optionsOf(target, label),
      // Read for each node that is connected to.
      get password() {
        return target.password?.();
      },
    },
    enableOfflineQueue: false,
    clusterRetryStrategy: backOff,
    // A call's own deadline ends what these prolong.
    maxRedirections: 5,
    retryDelayOnFailover: 100,
    retryDelayOnClusterDown: 100,
    retryDelayOnTryAgain: 100,
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    slotsRefreshInterval: 5000,
  });
}

/**
 * One connection, to where a channel of that slot is told of, and no other after it. It is not opened yet.
 * @param slot of Redis Cluster, 0..16383
 */
export function connectOnce(client: RedisClient, target: RedisTarget, slot: number, label: string): Redis {
  if (target.kind !== 'cluster') {
    return new Redis({ ...optionsOf(target, label), ...placeOf(target), ...ONCE });
  }
  const owner = ownerOf(client, slot);
  if (owner === undefined) throw new Error('no node of the cluster has the slot now');
  const [, host = '', port] = /^(.*):(\d+)$/.exec(owner) ?? [];
  return connectTo(target, { host, port: Number(port) }, label);
}

/** The same, to one server. */
export function connectTo(target: RedisTarget, address: RedisAddress, label: string): Redis {
  return new Redis({ ...optionsOf(target, label), ...address, ...ONCE });
}

/** `host:port` of the master that has the slot; undefined outside clusters, or while it is not known. */
export function ownerOf(client: RedisClient, slot: number): string | undefined {
  return client instanceof Cluster ? client.slots[slot]?.[0] : undefined;
}

/** Gives up a connection that is silent: its server may never answer on it, nor tell that it is gone. */
export function reconnect(client: RedisClient, slot: number): void {
  if (client instanceof Redis) {
    client.disconnect(true);
    return;
  }
  const owner = ownerOf(client, slot);
  const node = client.nodes('all').find(({ options }) => `${options.host}:${options.port}` === owner);
  node?.disconnect();
  client.refreshSlotsCache();
}

/** Only a connection that has lasted shows that the next one is worth making at once. */
class Retry {
  #attempt = 0;
  #madeAtMs = Number.POSITIVE_INFINITY;

  made(): void {
    this.#madeAtMs = performance.now();
  }

  delayMs(): number {
    const lasted = performance.now() - this.#madeAtMs > LASTING_MS;
    this.#madeAtMs = Number.POSITIVE_INFINITY;
    this.#attempt = lasted ? 1 : this.#attempt + 1;
    return backOff(this.#attempt);
  }
}

/** Doubles up to a second, and is spread, so that a thousand processes do not come back at once. */
export function backOff(attempt: number): number {
  return Math.min(MAX_BACK_OFF_MS, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
}

function placeOf(target: Exclude<RedisTarget, { kind: 'cluster' }>): RedisOptions {
  if (target.kind === 'single') return { ...target.address, db: target.db };
  return {
    sentinels: [...target.sentinels],
    name: target.group,
    db: target.db,
    sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
    sentinelRetryStrategy: backOff,
    sentinelReconnectStrategy: backOff,
    ...(target.tls && { enableTLSForSentinelMode: true, sentinelTLS: target.tls }),
    // Else a connection to a master that was replaced while it was cut off would stay.
    failoverDetector: true,
  };
}

function passwordsOf(target: RedisTarget): Pick<RedisOptions, 'password' | 'sentinelPassword'> {
  const sentinelPassword = target.kind === 'sentinel' ? target.sentinelPassword?.() : undefined;
  return { password: target.password?.(), sentinelPassword };
}

function optionsOf(target: RedisTarget, label: string): RedisOptions {
  let reconnectedAtMs = Number.NEGATIVE_INFINITY;
  return {
    connectionName: label,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // How long a connection that is being closed is waited for: a dead one never answers.
    disconnectTimeout: 100,
    keepAlive: 10_000,
    // A Redis that loads its data says so to every call. Behind Sentinels it is checked that it is the master.
    enableReadyCheck: target.kind !== 'single',
    maxLoadingRetryTime: 500,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    username: target.username,
    ...passwordsOf(target),
    ...(target.tls && { tls: target.tls }),
    reconnectOnError: (error) => {
      const nowMs = performance.now();
      if (!error.message.includes('READONLY') || nowMs < reconnectedAtMs + READONLY_RECONNECT_MS)
        return false;
      reconnectedAtMs = nowMs;
      return true;
    },
  };
}
