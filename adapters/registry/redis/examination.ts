import { Cluster } from 'ioredis';
import { connect, connectTo, type RedisClient } from './connection.ts';
import { hashTag, SLOT_NAMES } from './keys.ts';
import { type RedisTarget, targetText } from './target.ts';
import { SILENT, type Trouble, troubleOf } from './trouble.ts';

const REACH_TIMEOUT_MS = 4000;
const CALL_TIMEOUT_MS = 2000;
const ROUNDS = 20;

/** What the registry does with Redis, on a key that is gone a second later. */
const TRIAL = `redis.call('TIME')
redis.call('INFO', 'server')
redis.call('SET', KEYS[1], '', 'PX', 1000)
redis.call('SPUBLISH', KEYS[1], '')
return 'done'`;

export interface RedisFacts {
  /** For people. */
  readonly place: string;
  /** What goes wrong when it is used as the registry uses it. */
  readonly trouble?: Trouble;
  /** `Redis 7.0.15` or `Valkey 8.0.1`; absent where it cannot be asked. */
  readonly version?: string;
  /** How long a call took, of several one after the other. */
  readonly latencyMs?: { readonly median: number; readonly longest: number };
  /** Absent where it cannot be asked. */
  readonly memory?: { readonly maxBytes: number; readonly policy: string };
}

/** Uses Redis once as the registry would, for as long as it takes to tell what is wrong with it. */
export async function examineRedis(target: RedisTarget, prefix: string): Promise<RedisFacts> {
  const place = targetText(target);
  const client = connect(target, `${prefix}-doctor`);
  let last: Trouble | undefined;
  client.on('error', (error: Error) => {
    const trouble = troubleOf(error);
    // What it says itself tells more than that it then went away.
    if (last === undefined || last.kind === 'away' || trouble.kind !== 'away') last = trouble;
  });
  try {
    if (!(await isReady(client))) {
      return { place, trouble: (await incompleteCluster(target, prefix)) ?? last ?? SILENT };
    }
    // Before the first script: a Redis that lets nobody in answers a short command only.
    if (!(client instanceof Cluster)) await inTime(client.ping());
    const [streams = '', ...others] = SLOT_NAMES.map((slot) => `{${hashTag(slot, prefix)}}:doctor`);
    const [version, memory] = [await versionOf(client, streams), await memoryOf(client, streams)];
    const told = { place, ...(version && { version }), ...(memory && { memory }) };
    try {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const startedMs = performance.now();
        await inTime(client.eval(TRIAL, 1, streams));
        times.push(performance.now() - startedMs);
      }
      for (const key of others) await inTime(client.eval(TRIAL, 1, key));
      const sorted = times.toSorted((a, b) => a - b);
      return { ...told, latencyMs: { median: sorted[ROUNDS / 2] ?? 0, longest: sorted.at(-1) ?? 0 } };
    } catch (error) {
      return { ...told, trouble: last ?? troubleOf(error) };
    }
  } catch (error) {
    return { place, trouble: last ?? troubleOf(error) };
  } finally {
    client.disconnect();
  }
}

async function isReady(client: RedisClient): Promise<boolean> {
  if (client.status === 'ready') return true;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), REACH_TIMEOUT_MS);
  client.once('ready', () => resolve(true));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** A cluster that lacks some of its slots is not ready for its client, and gives no error. */
async function incompleteCluster(target: RedisTarget, prefix: string): Promise<Trouble | undefined> {
  if (target.kind !== 'cluster') return undefined;
  for (const address of target.nodes) {
    const node = connectTo(target, address, `${prefix}-doctor`);
    node.on('error', () => {});
    try {
      await inTime(node.connect());
      const state = String(await inTime(node.cluster('INFO')));
      if (state.includes('cluster_state:fail')) return troubleOf(new Error('CLUSTERDOWN'));
    } catch {
      // Another one may tell.
    } finally {
      node.disconnect();
    }
  }
  return undefined;
}

/** Within a script, as those of a cluster are asked whom a key leads to. */
async function infoOf(client: RedisClient, section: string, key: string): Promise<string> {
  return String(await inTime(client.eval(`return redis.call('INFO', '${section}')`, 1, key)));
}

async function versionOf(client: RedisClient, key: string): Promise<string | undefined> {
  const text = await infoOf(client, 'server', key);
  const valkey = /^valkey_version:(\S+)/m.exec(text)?.[1];
  if (valkey !== undefined) return `Valkey ${valkey}`;
  const redis = /^redis_version:(\S+)/m.exec(text)?.[1];
  return redis && `Redis ${redis}`;
}

async function memoryOf(client: RedisClient, key: string): Promise<RedisFacts['memory']> {
  const text = await infoOf(client, 'memory', key);
  const maxBytes = /^maxmemory:(\d+)/m.exec(text)?.[1];
  const policy = /^maxmemory_policy:(\S+)/m.exec(text)?.[1];
  return maxBytes === undefined || policy === undefined ? undefined : { maxBytes: Number(maxBytes), policy };
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer in ${CALL_TIMEOUT_MS} ms`)), CALL_TIMEOUT_MS);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
