import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { everyCall } from '../../core/registry/conformance-calls.ts';
import { name, node } from '../../core/registry/conformance-trial.ts';
import type { Registry } from '../../core/registry/registry.ts';
import { eventually } from '../harness/condition.ts';
import { type RedisProcess, startRedis } from '../harness/redis.ts';
import {
  type Outcome,
  openRegistry,
  outcomeOf,
  settle,
  single,
  startHolder,
  surprises,
} from './harness/process.ts';
import { startSlowProxy } from './harness/slow-proxy.ts';

async function start(t: TestContext): Promise<RedisProcess> {
  const redis = await startRedis();
  t.after(() => redis.stop());
  await settle(redis);
  return redis;
}

async function throughProxy(t: TestContext) {
  const redis = await start(t);
  const proxy = await startSlowProxy(redis.address);
  t.after(() => proxy.stop());
  return { redis, proxy, ...openRegistry(t, single(proxy)) };
}

async function callAll(registry: Registry): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const call of everyCall(registry)) outcomes.push(await outcomeOf(call));
  return outcomes;
}

const callAllAtOnce = (registry: Registry) => Promise.all(everyCall(registry).map(outcomeOf));

/** @returns how long it took until an announcement was taken, which an empty registry takes too */
async function back(registry: Registry, sinceMs: number): Promise<number> {
  await eventually('an answer', () => registry.announceNode(node('probe')), {
    everyMs: 10,
    timeoutMs: 10_000,
  });
  return performance.now() - sinceMs;
}

test('what is asked of a killed Redis fails within a second, and soon at once; it is told once', async (t) => {
  const redis = await start(t);
  const { registry, said } = openRegistry(t, single(redis));
  await registry.nodes();
  const killing = redis.kill();
  const underWay = await callAllAtOnce(registry);
  await killing;
  const first = await callAllAtOnce(registry);
  await sleep(500);
  const later = await callAll(registry);
  assert.deepEqual(
    surprises([...underWay.filter(({ errorName }) => errorName !== 'none'), ...first, ...later]),
    [],
  );
  assert.ok(Math.max(...later.map(({ tookMs }) => tookMs)) < 50, JSON.stringify(later));
  assert.match(first[0]?.message ?? '', /^the registry's Redis cannot be reached: .*; try again$/);
  assert.equal(said().length, 1, said().join('\n'));
  await redis.start();
  const tookMs = await back(registry, performance.now());
  t.diagnostic(`answers again after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < 2500);
  assert.deepEqual(said().slice(1), ['Redis is back']);
});

test('a process that starts before Redis does serves as soon as it is there', async (t) => {
  const redis = await start(t);
  await redis.kill();
  const { registry, said } = openRegistry(t, single(redis));
  assert.deepEqual(surprises(await callAllAtOnce(registry)), []);
  await redis.start();
  await back(registry, performance.now());
  assert.deepEqual(said().length, 2, said().join('\n'));
});

// Ten minutes in a quarter of one: a back-off has reached its bound after two seconds, and nothing else counts time.
test('a Redis that was gone for a while is found again within seconds', async (t) => {
  const redis = await start(t);
  const { registry, said } = openRegistry(t, single(redis));
  const holder = await startHolder(t, registry, 'a');
  await holder.publish('lobby');
  await redis.kill();
  await sleep(15_000);
  assert.deepEqual(surprises(await callAll(registry)), []);
  await redis.start();
  const startMs = performance.now();
  await eventually('the index', () => registry.findStream(name('lobby')), { everyMs: 10, timeoutMs: 10_000 });
  const tookMs = performance.now() - startMs;
  t.diagnostic(`the index is complete after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < 3000);
  assert.equal(said().length, 2, said().join('\n'));
});

test('what is asked of a Redis that takes four seconds fails within one; once it is fast it serves again', async (t) => {
  const { registry, proxy, said } = await throughProxy(t);
  await startHolder(t, registry, 'a');
  proxy.delayMs = 2000;
  assert.deepEqual(surprises(await callAllAtOnce(registry)), []);
  assert.deepEqual(surprises(await callAll(registry)), []);
  assert.match(said()[0] ?? '', /^Redis does not answer in time/);
  await sleep(6000);
  assert.deepEqual(surprises(await callAll(registry)), []);
  proxy.delayMs = 0;
  const tookMs = await back(registry, performance.now());
  t.diagnostic(`answers again after ${Math.round(tookMs)} ms`);
  // What was sent before it was fast is on its way for as long as it was slow.
  assert.ok(tookMs < 5000);
  await sleep(3000);
  assert.deepEqual(said().slice(1), ['Redis is back']);
});

test('a Redis that takes a third of a second is slow, and serves', async (t) => {
  const { registry, proxy, said } = await throughProxy(t);
  proxy.delayMs = 150;
  await eventually('an answer', () => registry.announceNode(node('a')));
  for (let round = 0; round < 3; round++) assert.equal((await registry.nodes()).length, 1);
  assert.deepEqual(
    said().filter((line) => !/not reached yet|back/.test(line)),
    [],
  );
});

test('a connection that dies without a word is given up, and another one serves', async (t) => {
  const { registry, proxy } = await throughProxy(t);
  await registry.nodes();
  proxy.stall();
  const startMs = performance.now();
  assert.deepEqual(surprises(await callAllAtOnce(registry)), []);
  assert.deepEqual(surprises(await callAll(registry)), []);
  const tookMs = await back(registry, startMs);
  t.diagnostic(`answers again after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < 5000);
});

test('a frozen Redis is away, and serves as soon as it goes on', async (t) => {
  const redis = await start(t);
  const { registry } = openRegistry(t, single(redis));
  await registry.nodes();
  redis.freeze();
  assert.deepEqual(surprises(await callAllAtOnce(registry)), []);
  await sleep(4000);
  assert.deepEqual(surprises(await callAll(registry)), []);
  redis.thaw();
  assert.ok((await back(registry, performance.now())) < 2500);
});

test('a claim that was granted after it had failed for want of an answer is given back', async (t) => {
  const { registry, proxy } = await throughProxy(t);
  const holder = await startHolder(t, registry, 'a');
  proxy.delayMs = 700;
  const claimed = await outcomeOf(() => holder.publish('lobby'));
  assert.equal(claimed.errorName, 'registry_unavailable');
  proxy.delayMs = 0;
  await eventually('an answer', () => registry.nodes(), { everyMs: 10 });
  await eventually('nobody holds it', async () => (await registry.findStream(name('lobby'))) === undefined);
  assert.ok(await holder.publish('lobby'));
});
