import type { RedisFacts } from '../../adapters/registry/redis/examination.ts';
import { redisTarget } from '../registry.ts';
import { type Context, defineCheck } from './check.ts';
import { info, type Judgement, ok, warning, wrong } from './finding.ts';

/** Sharded publish and subscribe came with it. */
const MIN_REDIS = 7;
/** A publish asks several times, and a call is given up after 900 ms. */
const SLOW_MS = 100;
const TOO_SLOW_MS = 500;

export const redis = defineCheck('redis', probe, judgeRedis);

export function judgeRedis(facts: RedisFacts | undefined): readonly Judgement[] {
  if (facts === undefined) return [info('MILLRACE_REDIS is not set: one process serves alone')];
  const { place, version, trouble, latencyMs, memory } = facts;
  const old = version !== undefined && isOld(version);
  if (old) {
    return [
      wrong(`${place} is ${version}, which lacks what the registry needs`, 'Take Redis 7, Valkey, or newer'),
    ];
  }
  if (trouble !== undefined) return [wrong(`${place}: it ${trouble.text}`, fixOf(trouble.text))];
  const judged = [...judgeLatency(place, latencyMs), ...judgeMemory(place, memory)];
  if (judged.length > 0) return judged;
  const latency = latencyMs === undefined ? '' : `; a call takes ${shown(latencyMs.median)}`;
  return [ok(`${place} is ${version ?? 'there'}, and does what the registry needs${latency}`)];
}

function judgeLatency(place: string, latencyMs: RedisFacts['latencyMs']): readonly Judgement[] {
  if (latencyMs === undefined || latencyMs.median < SLOW_MS) return [];
  const seen = `${place}: a call takes ${shown(latencyMs.median)}, ${shown(latencyMs.longest)} at most, and is given up after 900 ms`;
  const fix =
    'Let Redis run nearer to the servers; see what else it is doing: redis-cli --latency, SLOWLOG GET';
  return [latencyMs.median < TOO_SLOW_MS ? warning(seen, fix) : wrong(seen, fix)];
}

/** Keys of the registry have no time to live, so only policies that take any key take them. */
function judgeMemory(place: string, memory: RedisFacts['memory']): readonly Judgement[] {
  if (memory === undefined || memory.maxBytes === 0 || !memory.policy.startsWith('allkeys')) return [];
  return [
    warning(
      `${place}: when its ${Math.round(memory.maxBytes / 1024 ** 2)} MiB are full it throws away what the registry knows (maxmemory-policy ${memory.policy})`,
      'redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf',
    ),
  ];
}

function fixOf(trouble: string): string {
  if (/password|user/.test(trouble)) {
    return 'Set MILLRACE_REDIS_PASSWORD_FILE (and MILLRACE_REDIS_USERNAME) to what Redis was given: requirepass or ACL SETUSER. The user needs ~PREFIX* &PREFIX* +@all';
  }
  if (trouble.includes('replica')) return 'Name the master, or the Sentinels that know it: MILLRACE_REDIS';
  if (trouble.includes('maxmemory'))
    return 'Give Redis more memory: redis-cli CONFIG SET maxmemory, and redis.conf';
  if (trouble.includes('loads its data')) return 'Wait until it has; redis-cli INFO persistence tells when';
  if (trouble.includes('cluster')) return 'See which node is missing: redis-cli CLUSTER NODES';
  return 'Start Redis, or set MILLRACE_REDIS to where it is; see that no firewall is between';
}

function isOld(version: string): boolean {
  const major = /^Redis (\d+)\./.exec(version)?.[1];
  return major !== undefined && Number(major) < MIN_REDIS;
}

function shown(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

async function probe({ settings }: Context): Promise<RedisFacts | undefined> {
  if (settings.redis === undefined) return undefined;
  const { examineRedis } = await import('../../adapters/registry/redis/examination.ts');
  return examineRedis(redisTarget(settings.redis, settings), settings.redisPrefix);
}
