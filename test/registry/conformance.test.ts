import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { describeRegistry } from '../../core/registry/conformance.ts';
import { describeRegistryModel } from '../../core/registry/conformance-model.ts';
import { claim, node, nodeId } from '../../core/registry/conformance-trial.ts';
import { eventually } from '../harness/condition.ts';
import { startRedis } from '../harness/redis.ts';
import { makeTrial } from './harness/trial.ts';

const redis = await startRedis();
after(() => redis.stop());

const makeRegistry = () =>
  makeTrial({ kind: 'single', address: redis.address, db: 0 }, (...words) => redis.command(...words));

describeRegistry('The registry on Redis', makeRegistry);

test('A node with thousands of streams is fenced bit by bit, and holds none of them meanwhile', async (t) => {
  const { registry, peer, stop } = await makeRegistry();
  t.after(async () => {
    await registry.close();
    await peer.close();
    await stop();
  });
  for (const id of ['a', 'b']) await registry.announceNode(node(id));
  for (let from = 0; from < 5000; from += 100) {
    const names = Array.from({ length: 100 }, (_, index) => `stream ${from + index}`);
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

describeRegistryModel('The registry on Redis', makeRegistry, 200);
