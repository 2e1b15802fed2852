import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { keyNames, keysOf, SLOT_NAMES } from '../../../adapters/registry/redis/keys.ts';
import { createRedisRegistry } from '../../../adapters/registry/redis/redis.ts';
import type { RedisTarget } from '../../../adapters/registry/redis/target.ts';
import type { RegistryTrial } from '../../../core/registry/conformance-trial.ts';
import { eventually } from '../../harness/condition.ts';

export type Command = (...words: readonly string[]) => Promise<unknown>;

/** Of whichever server has the key. */
const RUN_ID = "return string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')";
const QUIET = pino({ level: 'silent' });

/** Makes Redis believe that it has long known all that there is. */
export async function settle(command: Command, prefix: string): Promise<void> {
  for (const slot of SLOT_NAMES) {
    const keys = keysOf(slot, prefix);
    const at = (name: string) => keys[keyNames(slot).indexOf(name)] ?? '';
    const server = await command('EVAL', RUN_ID, '1', at('SERVER'));
    await command('SET', at('SERVER'), String(server));
    await command('SET', at('ALIVE'), '1');
  }
}

/** Two processes' registries on one Redis, which has been there long enough to be complete, and is theirs alone. */
export async function makeTrial(target: RedisTarget, command: Command): Promise<RegistryTrial> {
  const prefix = `trial-${randomUUID()}`;
  await settle(command, prefix);
  const [registry, peer] = [0, 1].map(() =>
    createRedisRegistry({ target, prefix, log: QUIET, callTimeoutMs: 10_000 }),
  );
  if (registry === undefined || peer === undefined) throw new Error('two were made');
  for (const opened of [registry, peer])
    await eventually('a connection', () => opened.nodes(), { everyMs: 5 });
  return {
    registry,
    peer,
    async stop() {
      for (const slot of SLOT_NAMES) await command('DEL', ...keysOf(slot, prefix));
    },
  };
}
