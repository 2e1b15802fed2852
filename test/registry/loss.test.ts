import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  claim,
  collect,
  held,
  name,
  named,
  node,
  nodeId,
  recording,
  recordingId,
  running,
  session,
  sessionId,
} from '../../core/registry/conformance-trial.ts';
import { REGISTRY_RECOVERY_MS } from '../../core/registry/registry.ts';
import { eventually } from '../harness/condition.ts';
import { type RedisConfig, type RedisProcess, startRedis } from '../harness/redis.ts';
import { type Outcome, openRegistry, outcomeOf, settle, single, startHolder } from './harness/process.ts';

const SOON = { everyMs: 10, timeoutMs: 10_000 };

async function start(t: TestContext, config: RedisConfig = {}): Promise<RedisProcess> {
  const redis = await startRedis(config);
  t.after(() => redis.stop());
  await settle(redis);
  return redis;
}

test('a Redis that came back empty is told everything again within three seconds, and gives nothing away before', async (t) => {
  const redis = await start(t);
  const [first, second] = [openRegistry(t, single(redis)), openRegistry(t, single(redis))];
  const holders = [await startHolder(t, first.registry, 'a'), await startHolder(t, second.registry, 'b')];
  const epochs = new Map<string, number>();
  for (const [index, holder] of holders.entries()) {
    for (let stream = 0; stream < 500; stream++) {
      epochs.set(`${index} ${stream}`, await holder.publish(`${index} ${stream}`));
    }
  }
  await redis.kill();
  await sleep(1000);
  await redis.start();
  const startMs = performance.now();
  // Nobody holds this name; but the registry cannot know that yet.
  await eventually('an answer', () => first.registry.nodes().then(({ length }) => length > 0), SOON);
  await assert.rejects(first.registry.claimStream(claim('new', 'a')), named('registry_unavailable'));
  await assert.rejects(first.registry.findStream(name('new')), named('registry_unavailable'));
  await assert.rejects(first.registry.streams({ limit: 1 }), named('registry_unavailable'));
  const missing = new Set(epochs.keys());
  await eventually(
    'all streams',
    async () => {
      for (const stream of missing) {
        const found = await first.registry.findStream(name(stream)).catch(() => undefined);
        if (found === undefined) return false;
        assert.equal(found.epoch, epochs.get(stream));
        assert.equal(found.subject, 'ann');
        missing.delete(stream);
      }
      return true;
    },
    SOON,
  );
  const tookMs = performance.now() - startMs;
  t.diagnostic(`1000 streams of two nodes are known again after ${Math.round(tookMs)} ms`);
  assert.ok(tookMs < 3000);
  const known = await first.registry.claimStream(claim('0 0', 'b'));
  assert.equal(known.granted, false);
  assert.ok(
    holders.every(({ streams }) => [...streams.values()].every(({ ended }) => !ended)),
    'a stream was stopped',
  );
  await eventually('names are given away again', () => first.registry.claimStream(claim('new', 'a')), SOON);
  const fresh = await first.registry.findStream(name('new'));
  assert.ok((fresh?.epoch ?? 0) > Math.max(...epochs.values()), 'epochs grow across the restart');
  assert.ok(performance.now() - startMs > REGISTRY_RECOVERY_MS - 500);
  assert.equal((await first.registry.streams({ limit: 2000 })).length, 1001);
});

test('a Redis that is emptied while it runs is told everything again', async (t) => {
  const redis = await start(t);
  const { registry } = openRegistry(t, single(redis));
  const holder = await startHolder(t, registry, 'a');
  const epoch = await holder.publish('lobby');
  const losses: string[] = [];
  for (const part of ['streams', 'sessions', 'recordings'] as const) {
    registry.onLoss(part, () => losses.push(part));
  }
  await redis.command('FLUSHALL');
  const emptyMs = performance.now();
  const found = await eventually('the stream', () => registry.findStream(name('lobby')), SOON);
  assert.equal(found.epoch, epoch);
  assert.ok(performance.now() - emptyMs < 3000);
  await eventually('each part is told of', () => losses.length === 3, SOON);
  await sleep(1500);
  assert.deepEqual(losses.toSorted(), ['recordings', 'sessions', 'streams']);
});

test('of two holders of one stream the higher epoch wins when an empty Redis comes back, and the other stops', async (t) => {
  const redis = await start(t);
  const { registry } = openRegistry(t, single(redis));
  const [older, newer] = [await startHolder(t, registry, 'a'), await startHolder(t, registry, 'b')];
  const lower = await older.publish('lobby');
  older.stop(); // cut off: it does not hear that it is displaced
  const higher = await newer.publish('lobby', lower);
  await redis.kill();
  await redis.start();
  const cutOff = await startHolder(t, registry, 'a');
  cutOff.hold(name('lobby'), lower);
  await eventually('the lower one stops', () => cutOff.streams.get(name('lobby'))?.ended === true, SOON);
  await sleep(1500);
  assert.equal((await registry.findStream(name('lobby')))?.epoch, higher);
  assert.equal(newer.streams.get(name('lobby'))?.ended, false);
});

test('in a Redis that came back empty nothing is refused for good that it no longer knows', async (t) => {
  const redis = await start(t);
  const { registry } = openRegistry(t, single(redis));
  await registry.nodes();
  await redis.command('FLUSHALL');
  await registry.announceNode(node('a'));
  const calls = [
    () => registry.describeStream(name('lobby'), 1, []),
    () => registry.releaseStream(name('lobby'), 1),
    () => registry.claimStream(claim('lobby', 'b')),
    () => registry.findSession(sessionId('s')),
    () => registry.takeSession(sessionId('s'), 'signaling-2', 1000),
    () => registry.sessions({ limit: 1 }),
    () => registry.enterRecording(recording('r'), 'host-2'),
    () => registry.findRecording(recordingId('r')),
    () => registry.saveRecording(recordingId('r'), 1, running('r', 1).progress),
    () => registry.takeRecording({ id: recordingId('r'), host: 'host-1', seen: 1 }),
    () => registry.grantFinish(recordingId('r'), 1),
    () => registry.forgetRecording(recordingId('r'), 1),
    () => registry.recordings({ limit: 1 }),
  ];
  for (const call of calls) {
    const { errorName, message } = await outcomeOf(call);
    assert.equal(errorName, 'registry_unavailable', String(call));
    assert.match(message, /came back a moment ago, and is being told what there is/);
  }
  assert.equal(await registry.reannounceStream(held('lobby', 'a', 1000)), true);
  assert.equal(await registry.describeStream(name('lobby'), 1000, []), true);
  assert.equal(await registry.saveSession(session('s'), 60_000), true);
  assert.equal((await registry.takeSession(sessionId('s'), 'signaling-2', 1000))?.from, 'signaling-1');
  assert.equal(await registry.reannounceRecording(running('r', 3)), true);
  assert.equal(await registry.grantFinish(recordingId('r'), 3), true);
});

test('what an old snapshot brings back is put right: what is held is announced, displaced ones do not return', async (t) => {
  const redis = await start(t);
  const { registry } = openRegistry(t, single(redis));
  const [older, newer] = [await startHolder(t, registry, 'a'), await startHolder(t, registry, 'b')];
  const before = await older.publish('moved');
  await redis.command('SAVE');
  const after = await newer.publish('moved', before);
  older.streams.delete(name('moved'));
  const late = await newer.publish('late');
  await redis.kill();
  await redis.start();
  const claims: Outcome[] = [];
  await eventually(
    'what is held',
    async () => {
      // The snapshot knows nobody who has this name.
      claims.push(await outcomeOf(() => registry.claimStream(claim('late', 'a'))));
      return (
        (await registry.findStream(name('moved')))?.epoch === after &&
        (await registry.findStream(name('late')))?.epoch === late
      );
    },
    SOON,
  );
  assert.deepEqual(
    claims.filter(({ message }) => message.includes('"granted":true')),
    [],
  );
  const fresh = await eventually('names are given away', () => registry.claimStream(claim('new', 'a')), SOON);
  assert.ok(fresh.granted && fresh.epoch > late);
});

test('a watch does not take for a release what is only being told again, and hears of one that nobody tells again', async (t) => {
  const redis = await start(t);
  const { registry } = openRegistry(t, single(redis));
  const holder = await startHolder(t, registry, 'a');
  const epochs = { kept: await holder.publish('kept'), lost: await holder.publish('lost') };
  const [kept, lost, awaited] = [
    collect(registry, 'kept'),
    collect(registry, 'lost'),
    collect(registry, 'awaited'),
  ];
  await eventually('what there is', () => kept.changes.length === 1 && lost.changes.length === 1, SOON);
  holder.streams.delete(name('lost'));
  await redis.kill();
  await redis.start();
  await eventually('the release', () => lost.told().at(-1) === `released ${epochs.lost}`, SOON);
  assert.deepEqual(lost.told(), [`described ${epochs.lost}`, `released ${epochs.lost}`]);
  assert.deepEqual([...new Set(kept.told())], [`described ${epochs.kept}`]);
  const epoch = await holder.publish('awaited');
  await eventually('what is awaited', () => awaited.changes.length === 2, SOON);
  assert.deepEqual(awaited.told(), [`claimed ${epoch}`, `described ${epoch}`]);
});

test('a watch that was begun while Redis was away tells what there is when it is back', async (t) => {
  const redis = await start(t);
  const { registry } = openRegistry(t, single(redis));
  const holder = await startHolder(t, registry, 'a');
  const epoch = await holder.publish('lobby');
  await redis.kill();
  const watch = collect(registry, 'lobby');
  await redis.start();
  await eventually('the stream', () => watch.changes.length > 0, SOON);
  assert.equal(watch.told()[0], `described ${epoch}`);
});

test('a watch tells of what happened while its own connection was lost', async (t) => {
  const redis = await start(t);
  const { registry } = openRegistry(t, single(redis));
  const other = openRegistry(t, single(redis));
  const holder = await startHolder(t, other.registry, 'a');
  const first = await holder.publish('lobby');
  const watch = collect(registry, 'lobby');
  await eventually('what there is', () => watch.changes.length === 1, SOON);
  for (let round = 0; round < 5; round++) {
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const released = await registry.findStream(name('lobby'));
    await other.registry.releaseStream(name('lobby'), released?.epoch ?? 0);
    const epoch = await holder.publish('lobby');
    await eventually('the newest', () => watch.told().at(-1) === `described ${epoch}`, SOON);
  }
  const told = watch.told().map((line) => Number(line.split(' ')[1]));
  assert.equal(told[0], first);
  assert.deepEqual(
    told,
    [...told].sort((a, b) => a - b),
    'in the order of epochs',
  );
});

test('a node that was fenced stays so, whatever is lost after it', async (t) => {
  const redis = await start(t);
  const { registry } = openRegistry(t, single(redis));
  await startHolder(t, registry, 'a');
  await registry.fenceNode(nodeId('a'));
  const other = openRegistry(t, single(redis));
  assert.equal(await other.registry.announceNode(node('a')), false);
});
