import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AUDIO,
  claim,
  claimed,
  name,
  named,
  node,
  nodeId,
  type Open,
  sessionId,
  VIDEO,
} from './conformance-trial.ts';

export function describeClaims(open: Open): void {
  test('A claim of a free name is granted, and found as it was made', async (t) => {
    const { registry, peer } = await open(t);
    const epoch = await claimed(registry, claim('lobby', 'a'));
    const stream = await peer.findStream(name('lobby'));
    assert.ok(stream);
    assert.deepEqual(stream, { ...claim('lobby', 'a'), epoch, tracks: [], sinceMs: stream.sinceMs });
    assert.ok(Number.isSafeInteger(epoch));
    assert.ok(Number.isSafeInteger(stream.sinceMs));
  });

  test('An epoch is the time of the claim in microseconds or later, and "since" that time in milliseconds', async (t) => {
    const { registry } = await open(t);
    const epoch = await claimed(registry, claim('lobby', 'a'));
    const stream = await registry.findStream(name('lobby'));
    assert.ok(stream);
    assert.ok(Math.abs(epoch / 1000 - stream.sinceMs) < 1000);
  });

  test('Names that differ in anything are different streams', async (t) => {
    const { registry } = await open(t);
    const names = ['a', 'A', 'a ', 'a:b', 'a/b', 'a*', '{a}', 'é', 'e\u0301', '\u{1f600}', '__proto__'];
    for (const stream of names) await claimed(registry, claim(stream, 'n'));
    for (const stream of names) assert.equal((await registry.findStream(name(stream)))?.name, stream);
    assert.equal((await registry.streams({ limit: 100 })).length, names.length);
  });

  test('A name that is held is refused to everyone, its own session included, and the holder is told', async (t) => {
    const { registry, peer } = await open(t);
    await claimed(registry, claim('lobby', 'a'));
    const holder = await registry.findStream(name('lobby'));
    await registry.announceNode(node('b'));
    for (const other of [claim('lobby', 'a'), claim('lobby', 'b', { session: sessionId('other') })]) {
      assert.deepEqual(await peer.claimStream(other), { granted: false, holder });
    }
    assert.deepEqual(await registry.findStream(name('lobby')), holder);
  });

  test('Of many claims at once exactly one is granted', async (t) => {
    const { registry, peer } = await open(t);
    await registry.announceNode(node('a'));
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (index % 2 === 0 ? registry : peer).claimStream(
          claim('lobby', 'a', { session: sessionId(`session ${index}`) }),
        ),
      ),
    );
    const granted = results.filter((result) => result.granted);
    assert.equal(granted.length, 1);
    const stream = await registry.findStream(name('lobby'));
    for (const result of results) {
      if (result.granted) assert.equal(result.epoch, stream?.epoch);
      else assert.deepEqual(result.holder, stream);
    }
  });

  test("A claim that names the holder's epoch displaces it with a higher one", async (t) => {
    const { registry, peer } = await open(t);
    const older = await claimed(registry, claim('lobby', 'a'));
    await registry.describeStream(name('lobby'), older, [VIDEO]);
    const request = claim('lobby', 'b', { session: sessionId('newer'), subject: 'bob', displaces: older });
    const newer = await claimed(peer, request);
    assert.ok(newer > older);
    const stream = await registry.findStream(name('lobby'));
    const { displaces: _, ...expected } = request;
    assert.deepEqual(stream, { ...expected, epoch: newer, tracks: [], sinceMs: stream?.sinceMs });
  });

  test('A claim that names an epoch that holds no longer, or never did, is refused', async (t) => {
    const { registry } = await open(t);
    const first = await claimed(registry, claim('lobby', 'a'));
    const second = await claimed(registry, claim('lobby', 'a', { displaces: first }));
    for (const displaces of [first, second + 1, second - 1, 0]) {
      const result = await registry.claimStream(claim('lobby', 'a', { displaces }));
      assert.equal(result.granted, false);
    }
    assert.equal((await registry.findStream(name('lobby')))?.epoch, second);
  });

  test('Of many claims at once that name the same epoch exactly one is granted', async (t) => {
    const { registry, peer } = await open(t);
    const displaces = await claimed(registry, claim('lobby', 'a'));
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? registry : peer).claimStream(claim('lobby', 'a', { displaces })),
      ),
    );
    assert.equal(results.filter(({ granted }) => granted).length, 1);
  });

  test('A claim that names an epoch is granted when nobody holds the name any more', async (t) => {
    const { registry } = await open(t);
    const older = await claimed(registry, claim('lobby', 'a'));
    await registry.releaseStream(name('lobby'), older);
    assert.ok((await claimed(registry, claim('lobby', 'a', { displaces: older }))) > older);
  });

  test('Epochs of a name grow with every claim, however fast they follow each other', async (t) => {
    const { registry } = await open(t);
    let last = 0;
    for (let round = 0; round < 50; round++) {
      const epoch = await claimed(registry, claim('lobby', 'a'));
      assert.ok(epoch > last, `${epoch} after ${last}`);
      last = epoch;
      assert.equal(await registry.releaseStream(name('lobby'), epoch), true);
    }
  });

  test('A claim for a node that is unknown, withdrawn or fenced fails with "no_media_server"', async (t) => {
    const { registry } = await open(t);
    for (const id of ['withdrawn', 'fenced']) await registry.announceNode(node(id));
    await registry.withdrawNode(nodeId('withdrawn'));
    await registry.fenceNode(nodeId('fenced'));
    for (const id of ['unknown', 'withdrawn', 'fenced']) {
      await assert.rejects(registry.claimStream(claim('lobby', id)), named('no_media_server'));
    }
    assert.equal(await registry.findStream(name('lobby')), undefined);
  });

  test('A claim for a node that drains or is suspect is granted: choosing is not the business of the registry', async (t) => {
    const { registry, until } = await open(t);
    await registry.announceNode(node('a', { state: 'draining' }));
    assert.equal((await registry.claimStream(claim('first', 'a'))).granted, true);
    await until(async () => (await registry.nodes())[0]?.suspect === true);
    assert.equal((await registry.claimStream(claim('second', 'a'))).granted, true);
  });

  test('A name whose node was fenced can be claimed at once, with a higher epoch', async (t) => {
    const { registry } = await open(t);
    const older = await claimed(registry, claim('lobby', 'a'));
    await registry.fenceNode(nodeId('a'));
    assert.ok((await claimed(registry, claim('lobby', 'b'))) > older);
  });
}

export function describeHolding(open: Open): void {
  test('The holder describes its stream, once or again', async (t) => {
    const { registry, peer } = await open(t);
    const epoch = await claimed(registry, claim('lobby', 'a'));
    const before = await registry.findStream(name('lobby'));
    assert.equal(await registry.describeStream(name('lobby'), epoch, [VIDEO]), true);
    assert.equal(await registry.describeStream(name('lobby'), epoch, [AUDIO, VIDEO]), true);
    assert.deepEqual(await peer.findStream(name('lobby')), { ...before, tracks: [AUDIO, VIDEO] });
  });

  test('Whoever shows another epoch neither describes nor releases', async (t) => {
    const { registry } = await open(t);
    const older = await claimed(registry, claim('lobby', 'a'));
    const epoch = await claimed(registry, claim('lobby', 'a', { displaces: older }));
    const before = await registry.findStream(name('lobby'));
    for (const other of [older, epoch + 1, 0]) {
      assert.equal(await registry.describeStream(name('lobby'), other, [VIDEO]), false);
      assert.equal(await registry.releaseStream(name('lobby'), other), false);
    }
    assert.deepEqual(await registry.findStream(name('lobby')), before);
  });

  test('A released stream is held by nobody, and released only once', async (t) => {
    const { registry, peer } = await open(t);
    const epoch = await claimed(registry, claim('lobby', 'a'));
    assert.equal(await peer.releaseStream(name('lobby'), epoch), true);
    assert.equal(await registry.findStream(name('lobby')), undefined);
    assert.equal(await registry.releaseStream(name('lobby'), epoch), false);
    assert.equal(await registry.describeStream(name('lobby'), epoch, [VIDEO]), false);
    assert.deepEqual(await registry.streams({ limit: 10 }), []);
  });

  test('Streams are listed page by page in the order of their code points', async (t) => {
    const { registry } = await open(t);
    const ordered = ['A', 'a', 'a ', 'ab', 'b', 'é', '\u65e5\u672c', '\uff21', '\u{1f600}'];
    for (const stream of [...ordered].reverse()) await claimed(registry, claim(stream, 'n'));
    const list = async (page: { after?: string; limit: number }) =>
      (await registry.streams(page)).map((stream) => stream.name as string);
    assert.deepEqual(await list({ limit: 100 }), ordered);
    assert.deepEqual(await list({ limit: 2 }), ['A', 'a']);
    assert.deepEqual(await list({ after: 'a', limit: 3 }), ['a ', 'ab', 'b']);
    assert.deepEqual(await list({ after: 'aa', limit: 1 }), ['ab']);
    assert.deepEqual(await list({ after: '\uff21', limit: 5 }), ['\u{1f600}']);
    assert.deepEqual(await list({ after: '\u{1f600}', limit: 5 }), []);
  });

  test('The streams of one node are listed alone, page by page', async (t) => {
    const { registry, peer } = await open(t);
    const [moved] = [await claimed(registry, claim('c', 'a')), await claimed(registry, claim('b', 'aa'))];
    for (const stream of ['e', 'a', 'd']) await claimed(registry, claim(stream, 'a'));
    await claimed(registry, claim('c', 'b', { displaces: moved }));
    const list = async (node: string, page: { after?: string; limit: number }) =>
      (await peer.streams({ ...page, node: nodeId(node) })).map((stream) => stream.name as string);
    assert.deepEqual(await list('a', { limit: 10 }), ['a', 'd', 'e']);
    assert.deepEqual(await list('a', { after: 'b', limit: 1 }), ['d']);
    assert.deepEqual(await list('aa', { limit: 10 }), ['b']);
    assert.deepEqual(await list('b', { limit: 10 }), ['c']);
    assert.deepEqual(await list('unknown', { limit: 10 }), []);
  });

  test('What a caller does with its own records changes nothing in the registry', async (t) => {
    const { registry } = await open(t);
    const record = { ...node('a') };
    await registry.announceNode(record);
    const tracks = [VIDEO];
    const epoch = await claimed(registry, claim('lobby', 'a'));
    await registry.describeStream(name('lobby'), epoch, tracks);
    Object.assign(record, { load: 1 });
    tracks.push(AUDIO);
    assert.equal((await registry.nodes())[0]?.load, 0.25);
    assert.deepEqual((await registry.findStream(name('lobby')))?.tracks, [VIDEO]);
  });
}
