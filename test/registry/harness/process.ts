import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { createRedisRegistry } from '../../../adapters/registry/redis/redis.ts';
import type { RedisTarget } from '../../../adapters/registry/redis/target.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import type { RedisProcess } from '../../harness/redis.ts';
import { Holder } from './holder.ts';
import { settle as settleKeys } from './trial.ts';

const PREFIX = 'millrace';

export function single(redis: Pick<RedisProcess, 'address'>): RedisTarget {
  return { kind: 'single', address: redis.address, db: 0 };
}

/** A Redis that has been there long enough to be complete. */
export function settle(redis: Pick<RedisProcess, 'command'>): Promise<void> {
  return settleKeys((...words) => redis.command(...words), PREFIX);
}

/** A registry as one process has it, until its test ends. */
export function openRegistry(t: TestContext, target: RedisTarget) {
  const logs: { readonly level: number; readonly msg: string }[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => logs.push(JSON.parse(line)) });
  const registry = createRedisRegistry({ target, prefix: PREFIX, log });
  t.after(() => registry.close());
  return { registry, /** What was said of Redis. */ said: () => logs.map(({ msg }) => msg) };
}

/** A media server without media, until its test ends. */
export async function startHolder(t: TestContext, registry: Registry, id: string): Promise<Holder> {
  const holder = await Holder.start(registry, id);
  t.after(() => holder.stop());
  return holder;
}

export interface Outcome {
  /** `none` where it did not fail. */
  readonly errorName: string;
  readonly message: string;
  readonly tookMs: number;
}

export async function outcomeOf(call: () => Promise<unknown>): Promise<Outcome> {
  const startedMs = performance.now();
  const took = () => Math.round(performance.now() - startedMs);
  try {
    return { errorName: 'none', message: JSON.stringify(await call()) ?? '', tookMs: took() };
  } catch (error) {
    const { errorName = String(error), message } = error as { errorName?: string; message: string };
    return { errorName, message, tookMs: took() };
  }
}

/** Those of the outcomes that are not a failure within a second because the registry is away. */
export function surprises(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter(({ errorName, tookMs }) => errorName !== 'registry_unavailable' || tookMs >= 1000);
}
