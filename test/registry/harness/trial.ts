import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { keysOf, SLOT_NAMES } from '../../../adapters/registry/redis/keys.ts';
import { createRedisRegistry } from '../../../adapters/registry/redis/redis.ts';
import type { RedisTarget } from '../../../adapters/registry/redis/target.ts';
import type { RegistryTrial } from '../../../core/registry/conformance-trial.ts';

const QUIET = pino({ level: 'silent' });

/** Two processes' registries on one Redis, which has been there long enough to be complete, and is theirs alone. */
export async function makeTrial(
  target: RedisTarget,
  command: (...words: readonly string[]) => Promise<unknown>,
): Promise<RegistryTrial> {
  const prefix = `trial-${randomUUID()}`;
  for (const slot of SLOT_NAMES) {
    const [alive = ''] = keysOf(slot, prefix);
    await command('SET', alive, '1');
  }
  const [registry, peer] = [0, 1].map(() => createRedisRegistry({ target, prefix, log: QUIET }));
  if (registry === undefined || peer === undefined) throw new Error('two were made');
  return {
    registry,
    peer,
    async stop() {
      for (const slot of SLOT_NAMES) {
        for (const key of keysOf(slot, prefix)) await command('DEL', key);
      }
    },
  };
}
