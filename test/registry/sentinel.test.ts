import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { RedisTarget } from '../../adapters/registry/redis/target.ts';
import { describeRegistry } from '../../core/registry/conformance.ts';
import { describeRegistryModel } from '../../core/registry/conformance-model.ts';
import { claim, collect, name } from '../../core/registry/conformance-trial.ts';
import { eventually } from '../harness/condition.ts';
import { type RedisProcess, startSentinels } from '../harness/redis.ts';
import { openRegistry, outcomeOf, settle, startHolder, surprises } from './harness/process.ts';
import { disorder, storm } from './harness/storm.ts';
import { makeTrial } from './harness/trial.ts';

const SOON = { everyMs: 10, timeoutMs: 15_000 };
const group = await startSentinels(2);
after(() => group.stop());
const servers = [group.master, ...group.replicas];
const target: RedisTarget = {
  kind: 'sentinel',
  sentinels: group.sentinels.map(({ address }) => address),
  group: 'millrace',
  db: 0,
};
const makeRegistry = () => makeTrial(target, async (...words) => (await master()).command(...words));

/** The one that the Sentinels call so now. */
async function master(): Promise<RedisProcess> {
  const told = await group.sentinels[0]?.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'millrace');
  const [, port] = told as readonly string[];
  const found = servers.find(({ address }) => String(address.port) === port);
  if (found === undefined) throw new Error(`no server on port ${port}`);
  return found;
}

/** Sentinels wait for some ten seconds before they make a replica of a master that came back. */
async function following(count: number): Promise<void> {
  await eventually(
    `${count} replicas in step`,
    async () => {
      const info = String(await (await master()).command('INFO', 'replication'));
      return [...info.matchAll(/state=online,offset=(\d+)/g)].length === count;
    },
    { timeoutMs: 40_000 },
  );
}

describeRegistry('The registry on Redis behind Sentinels', makeRegistry);
describeRegistryModel('The registry on Redis behind Sentinels', makeRegistry, 50);

test('while Sentinels replace the master calls fail within a second, and epochs grow on', async (t) => {
  await settle(await master());
  await following(2);
  const registries = Array.from({ length: 4 }, () => openRegistry(t, target).registry);
  const stop = new AbortController();
  const running = storm(registries, stop.signal);
  for (let round = 0; round < 2; round++) {
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const before = await master();
    await group.sentinels[0]?.command('SENTINEL', 'FAILOVER', 'millrace');
    await eventually('another master', async () => (await master()) !== before, SOON);
    await following(2);
  }
  await new Promise((resolve) => setTimeout(resolve, 1000));
  stop.abort();
  const { grants, failures, slowestMs } = await running;
  t.diagnostic(
    `${grants.length} grants, failures ${JSON.stringify([...failures])}, slowest ${Math.round(slowestMs)} ms`,
  );
  assert.deepEqual(disorder(grants), []);
  assert.deepEqual(
    [...failures.keys()].filter((error) => !/^(registry_unavailable|no_media_server)$/.test(error)),
    [],
  );
  assert.ok(slowestMs < 1000);
  assert.ok(grants.length > 100);
});

test('writes that a failover lost are told again: the index is whole, and no epoch is granted twice', async (t) => {
  const old = await master();
  await settle(old);
  await following(2);
  const { registry, said } = openRegistry(t, target);
  const holder = await startHolder(t, registry, 'a');
  const kept = await holder.publish('kept');
  await old.command('WAIT', '2', '2000');
  // Its replicas hear nothing any more, and cannot come back to it.
  await old.command('ACL', 'SETUSER', 'default', '-psync', '-sync', '-replconf');
  await old.command('CLIENT', 'KILL', 'TYPE', 'replica');
  const lost = await holder.publish('lost');
  await registry.releaseStream(name('kept'), kept);
  const again = await holder.publish('kept');
  const watch = collect(registry, 'lost');
  await eventually('what there is', () => watch.changes.length === 1, SOON);
  t.after(() => old.start());
  await old.kill();
  const killedMs = performance.now();
  const outcome = await outcomeOf(() => registry.claimStream(claim('new', 'a')));
  assert.deepEqual(surprises([outcome]), []);
  await eventually('another master', async () => (await master()) !== old, SOON);
  const replacedMs = performance.now();
  await eventually(
    'what was lost',
    async () =>
      (await registry.findStream(name('lost')))?.epoch === lost &&
      (await registry.findStream(name('kept')))?.epoch === again,
    SOON,
  );
  const tookMs = performance.now() - replacedMs;
  t.diagnostic(
    `replaced after ${Math.round(replacedMs - killedMs)} ms, whole ${Math.round(tookMs)} ms after that`,
  );
  assert.ok(tookMs < 3000);
  const next = await eventually('names are given away', () => holder.publish('next'), SOON);
  assert.ok(next > Math.max(lost, again), 'epochs do not go back');
  assert.deepEqual(
    watch.told().filter((line) => !line.endsWith(` ${lost}`)),
    [],
  );
  assert.ok(!watch.told().includes(`released ${lost}`));
  assert.ok(said().length <= 6, said().join('\n'));
});

test('a name that another process claimed after its claim was lost keeps its newer holder, and the older one stops', async (t) => {
  await following(2);
  const old = await master();
  await settle(old);
  await following(2);
  const { registry } = openRegistry(t, target);
  const [first, second] = [await startHolder(t, registry, 'c'), await startHolder(t, registry, 'd')];
  await old.command('WAIT', '2', '2000');
  await old.command('ACL', 'SETUSER', 'default', '-psync', '-sync', '-replconf');
  await old.command('CLIENT', 'KILL', 'TYPE', 'replica');
  const lower = await first.publish('contested');
  first.stop(); // it is slow to notice
  t.after(() => old.start());
  await old.kill();
  const higher = await eventually('a claim', () => second.publish('contested'), SOON);
  assert.ok(higher > lower);
  const noticing = await startHolder(t, registry, 'c');
  noticing.hold(name('contested'), lower);
  await eventually('the older one stops', () => noticing.streams.get(name('contested'))?.ended, SOON);
  assert.equal((await registry.findStream(name('contested')))?.epoch, higher);
});
