import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { everyCall } from '../../core/registry/conformance-calls.ts';
import { claim, name, node } from '../../core/registry/conformance-trial.ts';
import { eventually } from '../harness/condition.ts';
import { type RedisConfig, startRedis } from '../harness/redis.ts';
import { openRegistry, outcomeOf, settle, single, startHolder, surprises } from './harness/process.ts';
import { startSlowProxy } from './harness/slow-proxy.ts';

async function start(t: TestContext, config: RedisConfig = {}) {
  const redis = await startRedis(config);
  t.after(() => redis.stop());
  await settle(redis);
  return redis;
}

test('a Redis that became a replica refuses writes and is read; it is told once, until writes are taken again', async (t) => {
  const redis = await start(t);
  const { registry, said } = openRegistry(t, single(redis));
  const holder = await startHolder(t, registry, 'a');
  const epoch = await holder.publish('lobby');
  await redis.command('CONFIG', 'SET', 'replica-serve-stale-data', 'yes');
  // Of a master that is not there: what it knows stays.
  await redis.command('REPLICAOF', '127.0.0.1', '1');
  const refused = [];
  for (let round = 0; round < 5; round++)
    refused.push(await outcomeOf(() => registry.claimStream(claim('new', 'a'))));
  assert.deepEqual(surprises(refused), []);
  assert.match(refused.at(-1)?.message ?? '', /takes no writes: it is a replica|cannot be reached/);
  await eventually('it is read', async () => (await registry.findStream(name('lobby')))?.epoch === epoch, {
    everyMs: 20,
  });
  await eventually('it is told', () =>
    said().some((line) => line === 'Redis takes no writes: it is a replica'),
  );
  await redis.command('REPLICAOF', 'NO', 'ONE');
  const backMs = performance.now();
  await eventually('it takes writes', () => registry.announceNode(node('b')), { everyMs: 10 });
  assert.ok(performance.now() - backMs < 2500);
  await eventually('that is told', () => said().at(-1) === 'Redis is back');
  assert.ok(said().length < 12, said().join('\n'));
});

test('a connection to a master that became a replica is left for one to whoever answers at its address now', async (t) => {
  const [former, next] = [await start(t), await startRedis()];
  t.after(() => next.stop());
  const proxy = await startSlowProxy(former.address);
  t.after(() => proxy.stop());
  const { registry } = openRegistry(t, single(proxy));
  const holder = await startHolder(t, registry, 'a');
  const epoch = await holder.publish('lobby');
  proxy.target = next.address;
  await former.command('REPLICAOF', '127.0.0.1', '1');
  const startMs = performance.now();
  await eventually('the next one', () => next.command('EXISTS', '{millrace:streams}:names'), { everyMs: 20 });
  assert.equal((await registry.findStream(name('lobby')))?.epoch, epoch);
  const tookMs = performance.now() - startMs;
  t.diagnostic(`another master is told everything after ${Math.round(tookMs)} ms`);
  // A second until it is noticed, another until the lease is renewed.
  assert.ok(tookMs < 5000);
});

test('a Redis whose memory is full refuses writes and is read', async (t) => {
  const redis = await start(t);
  const { registry, said } = openRegistry(t, single(redis));
  const holder = await startHolder(t, registry, 'a');
  await holder.publish('lobby');
  await redis.command('CONFIG', 'SET', 'maxmemory', '1');
  const refused = await outcomeOf(() => registry.claimStream(claim('new', 'a')));
  assert.deepEqual(surprises([refused]), []);
  assert.match(refused.message, /takes no writes: its memory is full \(maxmemory\)/);
  assert.equal((await registry.findStream(name('lobby')))?.node, 'a');
  await redis.command('CONFIG', 'SET', 'maxmemory', '0');
  await eventually('it takes writes', async () => (await registry.claimStream(claim('new', 'a'))).granted);
  await eventually('that is told', () => said().at(-1) === 'Redis is back');
  assert.deepEqual(said(), ['Redis takes no writes: its memory is full (maxmemory)', 'Redis is back']);
});

for (const [what, password, text] of [
  ['no password', undefined, /asks for a password, and none is set/],
  ['a wrong password', () => 'wrong', /refuses the user name or password/],
] as const) {
  test(`with ${what} every call fails and says why`, async (t) => {
    const redis = await start(t, { requirepass: 'right' });
    const target = { ...single(redis), ...(password && { password }) };
    const { registry, said } = openRegistry(t, target);
    await eventually('why', () => said().some((line) => text.test(line)), { everyMs: 10 });
    const outcomes = await Promise.all(everyCall(registry).map(outcomeOf));
    assert.deepEqual(surprises(outcomes), []);
    for (const { message } of outcomes) assert.match(message, text);
    assert.equal(said().length, 1, said().join('\n'));
  });
}

test('a password that was changed is taken at the next connection', async (t) => {
  const redis = await start(t, { requirepass: 'first' });
  let password = 'first';
  const { registry, said } = openRegistry(t, { ...single(redis), password: () => password });
  await registry.nodes();
  await redis.command('CONFIG', 'SET', 'requirepass', 'second');
  await registry.nodes();
  password = 'second';
  redis.password = 'second';
  assert.ok(Number(await redis.command('CLIENT', 'KILL', 'TYPE', 'normal')) > 0);
  await eventually('it is let in', () => registry.announceNode(node('a')), { everyMs: 10, timeoutMs: 5000 });
  assert.deepEqual(
    said().filter((line) => /password/.test(line)),
    [],
  );
});

test('a Redis that still loads its data is waited for, and every call says so', async (t) => {
  const redis = await start(t, {
    'key-load-delay': '10000',
    'loading-process-events-interval-bytes': '1024',
  });
  await redis.command('EVAL', "for i = 1, 200 do redis.call('SET', i, string.rep('x', 3000)) end", '0');
  await redis.command('SAVE');
  const { registry } = openRegistry(t, single(redis));
  await registry.nodes();
  await redis.kill();
  const starting = redis.start();
  const seen = new Set<string>();
  await eventually(
    'an answer',
    async () => {
      const { errorName, message, tookMs } = await outcomeOf(() => registry.nodes());
      seen.add(message);
      assert.ok(tookMs < 1000);
      return errorName === 'none';
    },
    { everyMs: 20 },
  );
  await starting;
  assert.ok(
    [...seen].some((message) => message.includes('it loads its data')),
    [...seen].join('\n'),
  );
});
