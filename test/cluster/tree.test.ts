import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, type MediaRole } from '../cluster-processes/harness/cluster.ts';
import { eventually } from '../harness/condition.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { COLOURS, seesMovingPicture, succeeded } from '../harness/viewing.ts';

const LIMITS = {
  // Who publishes is full, and who has a viewer.
  MILLRACE_MAX_STREAMS: '1',
  MILLRACE_MAX_VIEWERS: '1',
  MILLRACE_FAN_OUT: '1',
};
const cluster = await Cluster.start({ signaling: 1, media: 0 });
for (let i = 0; i < 4; i++) await cluster.addMedia(LIMITS);
const front = cluster.front(0);

/** Of the media servers that are alive, the one that began to have a viewer. */
async function edgeOf(known: readonly MediaRole[]): Promise<MediaRole> {
  for (const role of cluster.media) {
    if (known.includes(role) || role.process.signalCode !== null) continue;
    if ((await role.metric('millrace_edge_viewers')) === 1) return role;
  }
  throw new Error('no media server has the viewer');
}

/** Whom a media server pulled the stream from last, and how far it is from the origin. */
function lastPull({ log }: MediaRole) {
  const pulled = log.findLast(({ msg }) => msg === 'stream pulled');
  return { parent: pulled?.parent, depth: pulled?.depth };
}

const told = (viewer: DocumentClientPage, event: string) =>
  eventually(
    event,
    () => viewer.run<boolean>(`session.events.some((e) => e.method === '${event}' && e.stream === 'tree')`),
    { everyMs: 20 },
  );

test('media servers beyond the fan-out pull from others, and from the origin when one of those dies', async (t) => {
  const publisher = await cluster.open(front);
  succeeded(await publisher.publish('tree', { colour: COLOURS.green }));
  const origin = await cluster.holderOf('tree');
  assert.ok(origin);
  await eventually('its load to be known', async () =>
    (await cluster.registry.nodes()).some(({ id, load }) => id === origin.node && load === 1),
  );
  const viewers: DocumentClientPage[] = [];
  const edges: MediaRole[] = [];
  for (let number = 1; number <= 3; number++) {
    const viewer = await cluster.open(front, '?events=1');
    succeeded(await viewer.play('tree'));
    await seesMovingPicture(viewer, 'green');
    viewers.push(viewer);
    edges.push(await edgeOf(edges));
  }
  const [first, second, third] = edges;
  assert.ok(first && second && third);
  assert.deepEqual(edges.map(lastPull), [
    { parent: origin.node, depth: 1 },
    { parent: first.node, depth: 2 },
    { parent: second.node, depth: 3 },
  ]);
  assert.deepEqual(
    await Promise.all([origin, ...edges].map((role) => role.metric('millrace_pulls'))),
    [1, 1, 1, 0],
  );

  const sinceMs = performance.now();
  const elapsedMs = () => Math.round(performance.now() - sinceMs);
  await first.kill();
  const [lost, ...others] = viewers;
  assert.ok(lost);
  await told(lost, 'stream.ended');
  for (const viewer of others) {
    await told(viewer, 'stream.moved');
    t.diagnostic(`told to move after ${elapsedMs()} ms`);
    succeeded(await viewer.play('tree', {}, 'again'));
  }
  for (const viewer of others) await seesMovingPicture(viewer, 'green', { name: 'again', frames: 1 });
  t.diagnostic(`a picture again everywhere after ${elapsedMs()} ms`);
  assert.deepEqual([second, third].map(lastPull), [
    { parent: origin.node, depth: 1 },
    { parent: second.node, depth: 2 },
  ]);
  for (const viewer of others) await seesMovingPicture(viewer, 'green', { name: 'again' });

  // An end reaches the leaves.
  succeeded(await publisher.request('stream.close', 'tree', {}));
  for (const viewer of others) await told(viewer, 'stream.ended');
  await eventually('nothing to be left', async () => {
    const left = await Promise.all(
      [second, third].flatMap((role) => [
        role.metric('millrace_edge_streams'),
        role.metric('millrace_viewers'),
      ]),
    );
    return left.every((count) => count === 0);
  });
  for (const client of [publisher, ...viewers]) await client.close();
});
