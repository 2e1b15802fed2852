import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster } from '../cluster-processes/harness/cluster.ts';
import { eventually } from '../harness/condition.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { COLOURS, seesMovingPicture, succeeded } from '../harness/viewing.ts';

const cluster = await Cluster.start({ signaling: 1, media: 0 });
// Who publishes one stream is full, so its viewers go elsewhere.
for (let i = 0; i < 3; i++) await cluster.addMedia({ MILLRACE_MAX_STREAMS: '1' });
const front = cluster.front(0);

const movedTo = (client: DocumentClientPage, role: string, times: number) =>
  eventually(`to be asked to ${role} elsewhere`, () =>
    client.run<boolean>(
      `session.events.filter((e) => e.method === 'stream.moved' && e.data.role === '${role}').length >= ${times}`,
    ),
  );

test('viewers leave a media server that drains, whether it pulls their stream or another one does from it', async () => {
  const publisher = await cluster.open(front, '?events=1');
  const viewer = await cluster.open(front, '?events=1');
  succeeded(await publisher.publish('drained', { colour: COLOURS.green }));
  const origin = await cluster.holderOf('drained');
  assert.ok(origin);
  await eventually('its load to be known', async () =>
    (await cluster.registry.nodes()).some(({ id, load }) => id === origin.node && load === 1),
  );
  succeeded(await viewer.play('drained'));
  await seesMovingPicture(viewer, 'green');
  const others = cluster.media.filter((role) => role !== origin);
  const viewed = await Promise.all(others.map((role) => role.metric('millrace_edge_viewers')));
  const [edge, spare] = viewed[0] === 1 ? others : [...others].reverse();
  assert.ok(edge && spare);

  const ended = edge.stop();
  await movedTo(viewer, 'play', 1);
  succeeded(await viewer.play('drained', {}, 'second'));
  await seesMovingPicture(viewer, 'green', { name: 'second' });
  await viewer.run('playback.pc.close()');
  assert.equal(await ended, 0);
  assert.equal(await spare.metric('millrace_edge_viewers'), 1);

  const originEnded = origin.stop();
  await movedTo(publisher, 'publish', 1);
  succeeded(await publisher.publish('drained', { colour: COLOURS.blue }, 'again'));
  await movedTo(viewer, 'play', 2);
  succeeded(await viewer.play('drained', {}, 'third'));
  await seesMovingPicture(viewer, 'blue', { name: 'third' });
  assert.equal(await cluster.holderOf('drained'), spare);
  assert.equal(await originEnded, 0);
  for (const client of [publisher, viewer]) await client.close();
});
