import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { everyCall } from './conformance-calls.ts';
import { describeClaims, describeHolding } from './conformance-claims.ts';
import { describeRecordings } from './conformance-recordings.ts';
import { describeSessions } from './conformance-sessions.ts';
import {
  claim,
  claimed,
  collect,
  type MakeRegistry,
  name,
  named,
  node,
  nodeId,
  type Open,
  openTrial,
  turn,
} from './conformance-trial.ts';
import { describeReannouncing, describeWatches } from './conformance-watches.ts';

/** The rules of `Registry`, one sentence each, for any adapter of it. */
export function describeRegistry(title: string, makeRegistry: MakeRegistry): void {
  const open: Open = (context) => openTrial(context, makeRegistry);

  describe(title, () => {
    describeNodes(open);
    describeEvidence(open);
    describeClaims(open);
    describeHolding(open);
    describeReannouncing(open);
    describeWatches(open);
    describeSessions(open);
    describeRecordings(open);
    describeClosing(open);
  });
}

function describeNodes(open: Open): void {
  test('An announced node is listed as it said, and is not suspect', async (t) => {
    const { registry, peer } = await open(t);
    assert.deepEqual(await registry.nodes(), []);
    assert.equal(await registry.announceNode(node('a')), true);
    assert.deepEqual(await peer.nodes(), [{ ...node('a'), suspect: false }]);
  });

  test('A later announcement replaces what a node said', async (t) => {
    const { registry } = await open(t);
    await registry.announceNode(node('a'));
    await registry.announceNode(node('a', { state: 'draining', load: 0.5 }));
    assert.deepEqual(await registry.nodes(), [
      { ...node('a', { state: 'draining', load: 0.5 }), suspect: false },
    ]);
  });

  test('Nodes are listed by id', async (t) => {
    const { registry } = await open(t);
    for (const id of ['b', 'c', 'a']) await registry.announceNode(node(id));
    assert.deepEqual(
      (await registry.nodes()).map(({ id }) => id),
      ['a', 'b', 'c'],
    );
  });

  test('A node whose lease runs out is suspect and keeps its streams, until it announces itself again', async (t) => {
    const { registry, until } = await open(t);
    const epoch = await claimed(registry, claim('lobby', 'a'));
    await until(async () => (await registry.nodes())[0]?.suspect === true);
    assert.equal((await registry.findStream(name('lobby')))?.epoch, epoch);
    assert.equal((await registry.claimStream(claim('lobby', 'a'))).granted, false);
    assert.equal(await registry.announceNode(node('a')), true);
    assert.deepEqual(await registry.nodes(), [{ ...node('a'), suspect: false }]);
  });

  for (const [left, verb] of [
    ['withdrawNode', 'withdrawn'],
    ['fenceNode', 'fenced'],
  ] as const) {
    test(`A ${verb} node is gone at once with all its streams, and no other's`, async (t) => {
      const { registry } = await open(t);
      await claimed(registry, claim('first', 'a'));
      await claimed(registry, claim('second', 'a'));
      await claimed(registry, claim('third', 'b'));
      await registry[left](nodeId('a'));
      assert.deepEqual(
        (await registry.nodes()).map(({ id }) => id),
        ['b'],
      );
      assert.deepEqual(
        (await registry.streams({ limit: 10 })).map((stream) => stream.name),
        ['third'],
      );
      assert.equal(await registry.findStream(name('first')), undefined);
    });

    test(`A ${verb} incarnation never returns, its successor does`, async (t) => {
      const { registry, peer } = await open(t);
      await registry.announceNode(node('pod-1'));
      await registry[left](nodeId('pod-1'));
      assert.equal(await peer.announceNode(node('pod-1')), false);
      assert.deepEqual(await registry.nodes(), []);
      assert.equal(await registry.announceNode(node('pod-2')), true);
    });

    test(`A ${verb} node is reported dead`, async (t) => {
      const { registry } = await open(t);
      await registry.announceNode(node('a'));
      await registry[left](nodeId('a'));
      assert.equal(await registry.reportDeadNode(nodeId('a'), 'first'), true);
    });

    test(`A node ${verb} before its first announcement is refused too`, async (t) => {
      const { registry } = await open(t);
      await registry[left](nodeId('a'));
      await registry[left](nodeId('a'));
      assert.equal(await registry.announceNode(node('a')), false);
    });
  }
}

function describeEvidence(open: Open): void {
  const A = nodeId('a');

  test('A node that two observers report dead is fenced, one that says so twice is no second', async (t) => {
    const { registry, peer } = await open(t);
    const epoch = await claimed(registry, claim('lobby', 'a'));
    assert.equal(await registry.reportDeadNode(A, 'first'), false);
    assert.equal(await registry.reportDeadNode(A, 'first'), false);
    assert.equal((await registry.findStream(name('lobby')))?.epoch, epoch);
    assert.equal(await peer.reportDeadNode(A, 'second'), true);
    assert.deepEqual(await registry.nodes(), []);
    assert.equal(await registry.findStream(name('lobby')), undefined);
    assert.equal(await registry.announceNode(node('a')), false);
    assert.equal(await registry.reportDeadNode(A, 'first'), true);
  });

  test('Evidence of one node says nothing of another', async (t) => {
    const { registry } = await open(t);
    for (const id of ['a', 'b']) await registry.announceNode(node(id));
    assert.equal(await registry.reportDeadNode(A, 'first'), false);
    assert.equal(await registry.reportDeadNode(nodeId('b'), 'second'), false);
    assert.equal((await registry.nodes()).length, 2);
  });

  test('Evidence that is old by then counts no more', async (t) => {
    const { registry, until } = await open(t);
    await registry.announceNode(node('a'));
    assert.equal(await registry.reportDeadNode(A, 'first'), false);
    await registry.announceNode(node('witness'));
    await until(async () => {
      await registry.announceNode(node('a'));
      return (await registry.nodes()).some(({ suspect }) => suspect);
    });
    assert.equal(await registry.reportDeadNode(A, 'second'), false);
    assert.equal(await registry.reportDeadNode(A, 'first'), true);
  });

  test('One report fences a node whose lease has run out', async (t) => {
    const { registry, until } = await open(t);
    await registry.announceNode(node('a'));
    await until(async () => (await registry.nodes())[0]?.suspect === true);
    assert.equal(await registry.reportDeadNode(A, 'first'), true);
    assert.deepEqual(await registry.nodes(), []);
  });

  test('A node that is not announced is not reported dead', async (t) => {
    const { registry } = await open(t);
    assert.equal(await registry.reportDeadNode(A, 'first'), false);
    assert.equal(await registry.reportDeadNode(A, 'second'), false);
    assert.equal(await registry.announceNode(node('a')), true);
    assert.equal(await registry.reportDeadNode(A, 'second'), false);
  });
}

function describeClosing(open: Open): void {
  test('A closed registry refuses every call with "registry_unavailable", and closes again quietly', async (t) => {
    const { registry } = await open(t);
    await registry.close();
    await registry.close();
    const watching = [
      async () => registry.watchStream(name('lobby'), () => {}),
      async () => registry.onLoss('streams', () => {}),
    ];
    for (const call of [...everyCall(registry), ...watching]) {
      await assert.rejects(call, named('registry_unavailable'), String(call));
    }
  });

  test('A closed registry tells its watches nothing, of what it was doing as it closed neither', async (t) => {
    const { registry, until } = await open(t);
    const epoch = await claimed(registry, claim('lobby', 'a'));
    const watch = collect(registry, 'lobby');
    await until(() => watch.changes.length === 1);
    const releasing = registry.releaseStream(name('lobby'), epoch).catch(() => false);
    await registry.close();
    await releasing;
    await turn();
    assert.deepEqual(watch.told(), [`claimed ${epoch}`]);
  });
}
