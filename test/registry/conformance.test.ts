import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { describeRegistry } from '../../core/registry/conformance.ts';
import { describeInterleaving } from '../../core/registry/conformance-interleaving.ts';
import { describeRegistryModel } from '../../core/registry/conformance-model.ts';
import { claim, name, node, nodeId, session } from '../../core/registry/conformance-trial.ts';
import { eventually } from '../harness/condition.ts';
import { startRedis } from '../harness/redis.ts';
import { makeTrial } from './harness/trial.ts';

const redis = await startRedis();
after(() => redis.stop());

const makeRegistry = () =>
  makeTrial({ kind: 'single', address: redis.address, db: 0 }, (...words) => redis.command(...words));

describeRegistry('The registry on Redis', makeRegistry);

test('Redis keeps nothing of what has run out, and no more than it must of what has ended', async (t) => {
  const { registry, peer, stop } = await makeRegistry();
  t.after(async () => {
    await registry.close();
    await peer.close();
    await stop();
  });
  await registry.announceNode(node('a'));
  const count = async () => {
    let entries = 0;
    for (const key of (await redis.command('KEYS', '*')) as string[]) {
      const type = String(await redis.command('TYPE', key));
      if (type === 'hash') entries += Number(await redis.command('HLEN', key));
      if (type === 'zset') entries += Number(await redis.command('ZCARD', key));
    }
    return entries;
  };
  const before = await count();
  for (let round = 0; round < 1000; round++) {
    await registry.saveSession(session(`s ${round}`), 50);
    const result = await registry.claimStream(claim('lobby', 'a'));
    await registry.releaseStream(name('lobby'), result.granted ? result.epoch : 0);
  }
  await registry.announceNode(node('b'));
  await registry.reportDeadNode(nodeId('b'), 'first');
  await registry.withdrawNode(nodeId('b'));
  // The name that was released is remembered, twice, and the node that has gone.
  await eventually('nothing else', async () => (await count()) === before + 3, { timeoutMs: 10_000 });
});

test('A node with thousands of streams is fenced bit by bit, and holds none of them meanwhile', async (t) => {
  const { registry, peer, stop } = await makeRegistry();
  t.after(async () => {
    await registry.close();
    await peer.close();
    await stop();
  });
  for (const id of ['a', 'b']) await registry.announceNode(node(id));
  for (let from = 0; from < 3000; from += 50) {
    const names = Array.from({ length: 50 }, (_, index) => `stream ${from + index}`);
    await Promise.all(names.map((stream) => registry.claimStream(claim(stream, 'a'))));
  }
  const fencing = registry.fenceNode(nodeId('a'));
  await eventually('it is gone', async () => (await peer.nodes()).length === 1, { everyMs: 0 });
  const last = await peer.claimStream(claim('stream 999', 'b'));
  assert.equal(last.granted, true);
  await fencing;
  assert.deepEqual(
    (await registry.streams({ limit: 10 })).map((stream) => [stream.name, stream.node]),
    [['stream 999', 'b']],
  );
});

describeRegistryModel('The registry on Redis', makeRegistry, 500);
describeInterleaving('The registry on Redis', makeRegistry, 500);
