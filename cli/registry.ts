import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { createMemoryRegistry } from '../adapters/registry/memory/memory.ts';
import type { RedisTarget } from '../adapters/registry/redis/target.ts';
import type { Registry } from '../core/registry/registry.ts';
import type { RedisLocation } from './redis-value.ts';
import type { Settings } from './settings.ts';
import { StartError } from './start-error.ts';

/** The registry that `MILLRACE_REDIS` names, else one in the memory of this process. */
export async function openRegistry(settings: Settings, log: Logger): Promise<Registry> {
  const { redis, redisPrefix } = settings;
  if (redis === undefined) return createMemoryRegistry();
  // Only those pay for the client who use it.
  const { createRedisRegistry } = await import('../adapters/registry/redis/redis.ts');
  return createRedisRegistry({ target: redisTarget(redis, settings), prefix: redisPrefix, log });
}

/** @throws StartError when there is nothing to share */
export async function openSharedRegistry(settings: Settings, log: Logger): Promise<Registry> {
  if (settings.redis !== undefined) return openRegistry(settings, log);
  throw new StartError(
    'Millrace cannot start.',
    'This process is one of several, and they find each other in Redis: set MILLRACE_REDIS, the same for all.',
    'To run everything in one process: millrace all',
  );
}

type Credentials = Pick<
  Settings,
  'redisUsername' | 'redisPassword' | 'redisPasswordFile' | 'redisSentinelPassword'
>;

export function redisTarget(
  { tls, caFile, ...place }: RedisLocation,
  { redisUsername, redisPassword, redisPasswordFile, redisSentinelPassword }: Credentials,
): RedisTarget {
  const password = redisPasswordFile === undefined ? redisPassword : passwordIn(redisPasswordFile);
  return {
    ...place,
    ...(place.kind === 'sentinel' &&
      redisSentinelPassword !== undefined && { sentinelPassword: () => redisSentinelPassword }),
    ...(redisUsername !== undefined && { username: redisUsername }),
    ...(password !== undefined && { password: typeof password === 'string' ? () => password : password }),
    ...(tls && { tls: caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') } }),
  };
}

/** A file that is away for a moment, while it is replaced, leaves the password as it was. */
function passwordIn(file: string): () => string {
  let last = readFileSync(file, 'utf8').trim();
  return () => {
    try {
      last = readFileSync(file, 'utf8').trim() || last;
    } catch {
      // Redis says so should it not be the right one any more.
    }
    return last;
  };
}
