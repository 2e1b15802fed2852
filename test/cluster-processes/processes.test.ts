import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../harness/condition.ts';
import { COLOURS, hearsTone, seesMovingPicture, succeeded } from '../harness/viewing.ts';
import { TestClient } from '../signaling/client.ts';
import { Cluster } from './harness/cluster.ts';
import { longestFreezeMs } from './harness/freeze.ts';

const cluster = await Cluster.start({ signaling: 2, media: 2 });
const [one, two] = [cluster.front(0), cluster.front(1)];

test('a stream published by one signaling process is played by another', async () => {
  const publisher = await cluster.open(one);
  const viewer = await cluster.open(two);
  succeeded(await publisher.publish('across', { colour: COLOURS.blue, toneHz: 620 }));
  succeeded(await viewer.play('across'));
  await seesMovingPicture(viewer, 'blue');
  await hearsTone(viewer, 620);
  succeeded(await publisher.request('stream.mute', 'across', { video: true }));
  succeeded(await publisher.request('stream.close', 'across', {}));
  await eventually('the closed DTLS', async () => (await viewer.perceive()).dtls === 'closed');
  assert.equal((await viewer.play('across', {}, 'again')).err, 40402);
  await publisher.close();
  await viewer.close();
});

test('many streams are spread over the media servers', async () => {
  const publishers: Awaited<ReturnType<Cluster['open']>>[] = [];
  const holders = new Set<string | undefined>();
  // The first may all go to one server: the picture of the test before is still in the other's load.
  await eventually('a stream on each', async () => {
    const stream = `spread-${publishers.length}`;
    const publisher = await cluster.open(publishers.length % 2 === 0 ? one : two);
    publishers.push(publisher);
    succeeded(await publisher.publish(stream, { video: false }));
    holders.add((await cluster.holderOf(stream))?.node);
    return holders.size === cluster.media.length;
  });
  await Promise.all(publishers.map((publisher) => publisher.close()));
});

test('a client that waits at one signaling process is told what another does', async () => {
  const viewer = await cluster.open(two, '?events=1');
  const publisher = await cluster.open(one);
  const waiting = viewer.play('awaited', { data: { wait_ms: 10_000 }, more: { id: 1 } });
  succeeded(await publisher.publish('awaited', { colour: COLOURS.red }));
  succeeded(await waiting);
  await seesMovingPicture(viewer, 'red');
  succeeded(await publisher.request('stream.close', 'awaited', {}));
  await eventually('the event', () =>
    viewer.run<boolean>(`session.events.some((e) => e.method === 'stream.ended' && e.stream === 'awaited')`),
  );
  await publisher.close();
  await viewer.close();
});

test('a signaling process is killed: media goes on, and others play what was published there', async (t) => {
  const doomed = await cluster.addSignaling();
  const publisher = await cluster.open(doomed);
  const viewer = await cluster.open(doomed);
  const elsewhere = await cluster.open(one);
  succeeded(await publisher.publish('orphaned', { colour: COLOURS.green }));
  for (const client of [viewer, elsewhere]) {
    succeeded(await client.play('orphaned'));
    await seesMovingPicture(client, 'green');
  }
  const watching = Promise.all([viewer, elsewhere].map((client) => longestFreezeMs(client, 4000)));
  await doomed.kill();
  await eventually(
    'the sockets to be gone',
    async () => (await publisher.run<unknown>('session.closed')) !== null,
  );
  const late = await cluster.open(two);
  succeeded(await late.play('orphaned'));
  await seesMovingPicture(late, 'green');
  const freezes = await watching;
  t.diagnostic(`longest time without a frame: ${freezes.map((ms) => `${Math.round(ms)} ms`).join(', ')}`);
  assert.ok(Math.max(...freezes) < 1000, 'the picture stood still');

  // Its client goes on elsewhere with the session that it had.
  const session = await publisher.run<string>('session.id');
  const resumed = await TestClient.connect(two.wsUrl);
  succeeded(await resumed.request('stream.mute', 'orphaned', { video: true }, { session }));
  succeeded(await resumed.request('stream.close', 'orphaned', {}, { session }));
  await eventually('the closed DTLS', async () => (await late.perceive()).dtls === 'closed');
  await resumed.leave();
  for (const client of [publisher, viewer, elsewhere, late]) await client.close();
});

test('no connection between processes was ever lost', async () => {
  for (const role of [one, two]) {
    assert.deepEqual(
      role.log.filter(
        ({ msg }) => msg === 'the channel to a media server is gone' || msg === 'media server lost',
      ),
      [],
    );
  }
});

test('a process that ends is gone from the registry at once, and everybody ends in good order', async () => {
  // Its streams stay until the time is over: this client publishes nothing again when it is asked to.
  const leaving = await cluster.addMedia({ MILLRACE_DRAIN_TIMEOUT: '1s' });
  const signaling = await cluster.addSignaling();
  const publisher = await cluster.open(signaling, '?events=1');
  // Until the one that has nothing yet is chosen.
  let number = 0;
  await eventually('a stream on the new media server', async () => {
    number += 1;
    succeeded(await publisher.publish(`leaving-${number}`, { video: false }));
    return (await cluster.holderOf(`leaving-${number}`)) === leaving;
  });
  assert.equal(await leaving.stop(), 0);
  const ended = signaling.log.find(({ msg }) => msg === 'the channel to a media server is gone');
  assert.equal(ended?.why, 'closed_there');
  succeeded(await publisher.publish('after', { video: false }));
  assert.notEqual(await cluster.holderOf('after'), leaving);
  assert.equal(await signaling.stop(), 0);
  await publisher.close();
});
