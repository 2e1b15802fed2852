import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { hashSlot } from '../../adapters/registry/redis/hash-slot.ts';
import { hashTag, keysOf } from '../../adapters/registry/redis/keys.ts';
import type { RedisTarget } from '../../adapters/registry/redis/target.ts';
import { describeRegistry } from '../../core/registry/conformance.ts';
import { describeRegistryModel } from '../../core/registry/conformance-model.ts';
import { collect, name, session, sessionId } from '../../core/registry/conformance-trial.ts';
import { eventually } from '../harness/condition.ts';
import { type RedisProcess, startCluster } from '../harness/redis.ts';
import { openRegistry, outcomeOf, settle, startHolder, surprises } from './harness/process.ts';
import { disorder, storm } from './harness/storm.ts';
import { makeTrial } from './harness/trial.ts';

const SOON = { everyMs: 10, timeoutMs: 15_000 };
const cluster = await startCluster(1);
after(() => cluster.stop());
const target: RedisTarget = {
  kind: 'cluster',
  nodes: cluster.nodes.slice(0, 2).map(({ address }) => address),
};

/** Asks whoever has the key. */
async function command(...words: readonly string[]): Promise<unknown> {
  let node = cluster.nodes[0];
  for (let hop = 0; hop < 5; hop++) {
    try {
      return await node?.command(...words);
    } catch (error) {
      const port = /MOVED \d+ .*:(\d+)/.exec(String(error))?.[1];
      node = cluster.nodes.find(({ address }) => String(address.port) === port);
      if (node === undefined) throw error;
    }
  }
  throw new Error('moved in circles');
}

/** The master that has the streams of registries with this prefix. */
async function owner(): Promise<RedisProcess> {
  const slot = hashSlot(hashTag('streams', 'millrace'));
  for (const node of cluster.nodes) {
    const info = await node.command('CLUSTER', 'NODES').catch(() => undefined);
    if (info === undefined) continue;
    for (const line of String(info).split('\n')) {
      const [, address = '', flags = '', , , , , ...ranges] = line.split(' ');
      if (!flags.includes('master') || flags.includes('fail')) continue;
      const has = ranges.some((range) => {
        const [from = Number.NaN, to = from] = range.split('-').map(Number);
        return from <= slot && slot <= to;
      });
      const port = /:(\d+)@/.exec(address)?.[1];
      const found = cluster.nodes.find((one) => has && String(one.address.port) === port);
      if (found !== undefined) return found;
    }
  }
  throw new Error('nobody has the slot');
}

const makeRegistry = () => makeTrial(target, command);

describeRegistry('The registry on Redis Cluster', makeRegistry);
describeRegistryModel('The registry on Redis Cluster', makeRegistry, 50);

test('the slot of a key is the one that Redis gives it', async () => {
  for (const slot of ['streams', 'sessions', 'recordings'] as const) {
    for (const prefix of ['millrace', 'a:b-c.d']) {
      for (const key of keysOf(slot, prefix)) {
        assert.equal(hashSlot(hashTag(slot, prefix)), await command('CLUSTER', 'KEYSLOT', key));
      }
    }
  }
});

test('while a replica takes over from the master calls fail within a second, epochs grow on, watches miss nothing', async (t) => {
  await settle({ command });
  const registries = Array.from({ length: 4 }, () => openRegistry(t, target).registry);
  const [watching] = registries;
  assert.ok(watching);
  const watch = collect(watching, 'storm 0');
  const stop = new AbortController();
  const running = storm(registries, stop.signal);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const before = await owner();
  t.after(() => before.start());
  await before.kill();
  await eventually('another owner', async () => (await owner()) !== before, SOON);
  await new Promise((resolve) => setTimeout(resolve, 2500));
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
  const answer = () => watching.findStream(name('storm 0')).then((stream) => ({ stream }));
  const { stream: last } = await eventually('an answer', answer, SOON);
  await eventually('the last state', () => {
    const change = watch.changes.at(-1);
    return change?.type === 'released' ? last === undefined : change?.stream.epoch === last?.epoch;
  });
  const epochs = watch.told().map((line) => Number(line.split(' ')[1]));
  assert.deepEqual(
    epochs,
    [...epochs].sort((a, b) => a - b),
  );
});

test('a killed master without a successor takes only its own slots away, and is found again', async (t) => {
  await settle({ command });
  const { registry } = openRegistry(t, target);
  const holder = await startHolder(t, registry, 'a');
  const epoch = await holder.publish('lobby');
  await registry.saveSession(session('s'), 60_000);
  const dead = await owner();
  const others = cluster.nodes.filter((node) => node !== dead);
  for (const node of others) {
    await node.command('CONFIG', 'SET', 'cluster-replica-no-failover', 'yes');
    await node.command('CONFIG', 'SET', 'cluster-require-full-coverage', 'no');
  }
  await dead.kill();
  for (let round = 0; round < 10; round++) {
    assert.deepEqual(surprises([await outcomeOf(() => registry.findStream(name('lobby')))]), []);
    // On another node.
    assert.deepEqual(await registry.findSession(sessionId('s')), session('s'));
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await dead.start();
  const startMs = performance.now();
  await eventually(
    'the stream',
    async () => (await registry.findStream(name('lobby')))?.epoch === epoch,
    SOON,
  );
  const tookMs = performance.now() - startMs;
  t.diagnostic(`back after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < 5000);
});
