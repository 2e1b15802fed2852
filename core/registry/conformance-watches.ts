import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  claim,
  claimed,
  collect,
  held,
  name,
  named,
  node,
  nodeId,
  type Open,
  VIDEO,
} from './conformance-trial.ts';

export function describeReannouncing(open: Open): void {
  test('A registry that lost a stream has it back from its holder, with its epoch', async (t) => {
    const { registry, peer } = await open(t);
    await registry.announceNode(node('a'));
    const stream = held('lobby', 'a', 1_800_000_000_000_000);
    assert.equal(await registry.reannounceStream(stream), true);
    assert.deepEqual(await peer.findStream(name('lobby')), stream);
    assert.equal((await registry.claimStream(claim('lobby', 'a'))).granted, false);
    assert.equal(await registry.releaseStream(name('lobby'), stream.epoch), true);
  });

  test('Of two that announce one stream the higher epoch wins, whoever comes first', async (t) => {
    const { registry } = await open(t);
    for (const id of ['a', 'b']) await registry.announceNode(node(id));
    const [lower, higher] = [held('lobby', 'a', 1000), held('lobby', 'b', 1001)];
    assert.equal(await registry.reannounceStream(lower), true);
    assert.equal(await registry.reannounceStream(higher), true);
    assert.equal(await registry.reannounceStream(lower), false);
    assert.deepEqual(await registry.findStream(name('lobby')), higher);
  });

  test('A holder that announces again what the registry has brings it up to date', async (t) => {
    const { registry } = await open(t);
    const epoch = await claimed(registry, claim('lobby', 'a'));
    const stream = held('lobby', 'a', epoch);
    assert.equal(await registry.reannounceStream(stream), true);
    assert.equal(await registry.reannounceStream(stream), true);
    assert.deepEqual(await registry.findStream(name('lobby')), stream);
  });

  test('Nobody takes a stream by announcing it with its epoch from another node', async (t) => {
    const { registry } = await open(t);
    const epoch = await claimed(registry, claim('lobby', 'a'));
    await registry.announceNode(node('b'));
    assert.equal(await registry.reannounceStream(held('lobby', 'b', epoch)), false);
    assert.equal((await registry.findStream(name('lobby')))?.node, 'a');
  });

  test('A claim after an announcement gets a higher epoch, though that one be ahead of the clock', async (t) => {
    const { registry } = await open(t);
    await registry.announceNode(node('a'));
    const ahead = 8_000_000_000_000_000;
    await registry.reannounceStream(held('lobby', 'a', ahead));
    const displacing = await claimed(registry, claim('lobby', 'a', { displaces: ahead }));
    assert.ok(displacing > ahead);
    await registry.releaseStream(name('lobby'), displacing);
    assert.ok((await claimed(registry, claim('lobby', 'a'))) > displacing);
  });

  test('A holder that was displaced must stop, even when its successor has released the name', async (t) => {
    const { registry } = await open(t);
    const older = await claimed(registry, claim('lobby', 'a'));
    const newer = await claimed(registry, claim('lobby', 'b', { displaces: older }));
    assert.equal(await registry.reannounceStream(held('lobby', 'a', older)), false);
    await registry.releaseStream(name('lobby'), newer);
    assert.equal(await registry.reannounceStream(held('lobby', 'a', older)), false);
    assert.equal(await registry.reannounceStream(held('lobby', 'b', newer)), false);
    assert.equal(await registry.findStream(name('lobby')), undefined);
  });

  test('A fenced or withdrawn node announces no stream, one that is not announced must be first', async (t) => {
    const { registry } = await open(t);
    for (const id of ['fenced', 'withdrawn']) await registry.announceNode(node(id));
    await registry.fenceNode(nodeId('fenced'));
    await registry.withdrawNode(nodeId('withdrawn'));
    assert.equal(await registry.reannounceStream(held('lobby', 'fenced', 1000)), false);
    assert.equal(await registry.reannounceStream(held('lobby', 'withdrawn', 1000)), false);
    const unknown = registry.reannounceStream(held('lobby', 'unknown', 1000));
    await assert.rejects(unknown, named('no_media_server'));
    assert.equal(await registry.findStream(name('lobby')), undefined);
  });
}

export function describeWatches(open: Open): void {
  test('A watch tells of claim, description and release, in order and once each', async (t) => {
    const { registry, peer, until } = await open(t);
    const watch = collect(registry, 'lobby');
    const epoch = await claimed(peer, claim('lobby', 'a'));
    await until(() => watch.changes.length === 1);
    await peer.describeStream(name('lobby'), epoch, [VIDEO]);
    const stream = await peer.findStream(name('lobby'));
    await until(() => watch.changes.length === 2);
    await peer.releaseStream(name('lobby'), epoch);
    await until(() => watch.changes.length === 3);
    assert.deepEqual(watch.told(), [`claimed ${epoch}`, `described ${epoch}`, `released ${epoch}`]);
    assert.deepEqual(watch.changes[1], { type: 'described', stream });
  });

  test('A watch tells of a stream that is held already, as it is', async (t) => {
    const { registry, until } = await open(t);
    const epoch = await claimed(registry, claim('lobby', 'a'));
    const fresh = collect(registry, 'lobby');
    assert.deepEqual(fresh.changes, []);
    await until(() => fresh.changes.length > 0);
    assert.deepEqual(fresh.told(), [`claimed ${epoch}`]);
    await registry.describeStream(name('lobby'), epoch, [VIDEO]);
    await until(() => fresh.changes.length > 1);
    const described = collect(registry, 'lobby');
    await until(() => described.changes.length > 0);
    assert.deepEqual(described.told(), [`described ${epoch}`]);
    assert.deepEqual(fresh.told(), [`claimed ${epoch}`, `described ${epoch}`]);
  });

  test('A watch tells of displacement as a claim with a higher epoch, not as a release', async (t) => {
    const { registry, peer, until } = await open(t);
    const older = await claimed(registry, claim('lobby', 'a'));
    const watch = collect(registry, 'lobby');
    await until(() => watch.changes.length === 1);
    const newer = await claimed(peer, claim('lobby', 'a', { displaces: older }));
    await until(() => watch.changes.length === 2);
    assert.deepEqual(watch.told(), [`claimed ${older}`, `claimed ${newer}`]);
  });

  test('A watch tells of the releases of a node that is fenced or withdrawn', async (t) => {
    const { registry, until } = await open(t);
    const first = await claimed(registry, claim('first', 'a'));
    const second = await claimed(registry, claim('second', 'b'));
    const watches = [collect(registry, 'first'), collect(registry, 'second')] as const;
    await until(() => watches.every(({ changes }) => changes.length === 1));
    await registry.fenceNode(nodeId('a'));
    await registry.withdrawNode(nodeId('b'));
    await until(() => watches.every(({ changes }) => changes.length === 2));
    assert.deepEqual(watches[0].told(), [`claimed ${first}`, `released ${first}`]);
    assert.deepEqual(watches[1].told(), [`claimed ${second}`, `released ${second}`]);
  });

  test('A watch tells of a stream that is announced again', async (t) => {
    const { registry, until } = await open(t);
    await registry.announceNode(node('a'));
    const watch = collect(registry, 'lobby');
    await registry.reannounceStream(held('lobby', 'a', 1000));
    await until(() => watch.changes.length > 0);
    assert.deepEqual(watch.changes[0], { type: 'described', stream: held('lobby', 'a', 1000) });
  });

  test('A watch tells of no other stream, and of nothing after it was stopped', async (t) => {
    const { registry, until } = await open(t);
    const epoch = await claimed(registry, claim('lobby', 'a'));
    const [stopped, other, going] = [
      collect(registry, 'lobby'),
      collect(registry, 'Lobby'),
      collect(registry, 'lobby'),
    ];
    await until(() => stopped.changes.length === 1 && going.changes.length === 1);
    const releasing = registry.releaseStream(name('lobby'), epoch);
    stopped.stop();
    stopped.stop();
    await releasing;
    await until(() => going.changes.length === 2);
    assert.deepEqual(stopped.told(), [`claimed ${epoch}`]);
    assert.deepEqual(other.told(), []);
  });
}
