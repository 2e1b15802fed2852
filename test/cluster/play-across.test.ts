import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cluster, type MediaRole } from '../cluster-processes/harness/cluster.ts';
import { longestFreezeMs } from '../cluster-processes/harness/freeze.ts';
import { eventually } from '../harness/condition.ts';
import { COLOURS, hearsTone, seesMovingPicture, succeeded } from '../harness/viewing.ts';

/** Who publishes one stream is full, so its viewers go elsewhere. */
const FULL_WITH_ONE = { MILLRACE_MAX_STREAMS: '1' };
const cluster = await Cluster.start({ signaling: 1, media: 0 });
for (let i = 0; i < 2; i++) await cluster.addMedia(FULL_WITH_ONE);
const front = cluster.front(0);

/** Publishes, and waits until everybody knows that the media server is full. */
async function published(stream: string, query = '') {
  const publisher = await cluster.open(front, query);
  succeeded(await publisher.publish(stream, { colour: COLOURS.green, toneHz: 620 }));
  const origin = await cluster.holderOf(stream);
  assert.ok(origin);
  await eventually('its load to be known', async () =>
    (await cluster.registry.nodes()).some(({ id, load }) => id === origin.node && load === 1),
  );
  const edge = cluster.media.find((role) => role !== origin) as MediaRole;
  return { publisher, origin, edge };
}

const ends = (name: string) => `session.events.some((e) => e.method === '${name}')`;

test('a stream is published on one media server and played on another', async () => {
  const { publisher, origin, edge } = await published('across');
  const [first, second] = [await cluster.open(front), await cluster.open(front)];
  succeeded(await first.play('across'));
  succeeded(await second.play('across'));
  for (const viewer of [first, second]) {
    await seesMovingPicture(viewer, 'green');
    await hearsTone(viewer, 620);
  }
  assert.equal(await edge.metric('millrace_edge_viewers'), 2);
  assert.equal(await origin.metric('millrace_viewers'), 0);
  assert.equal(await origin.metric('millrace_pulls'), 1);
  assert.equal(await edge.metric('millrace_neighbour_pipes'), 1);

  // One that mutes for itself mutes for nobody else.
  succeeded(await second.request('stream.mute', 'across', { audio: true }));
  await hearsTone(first, 620);
  succeeded(await second.request('stream.close', 'across', {}));

  // The publisher's mute comes through, and its end.
  succeeded(await publisher.request('stream.mute', 'across', { video: true }));
  await eventually('a still picture', async () => (await longestFreezeMs(first, 600)) > 500);
  succeeded(await publisher.request('stream.mute', 'across', { video: false }));
  await seesMovingPicture(first, 'green');
  succeeded(await publisher.request('stream.close', 'across', {}));
  await eventually('the closed DTLS', async () => (await first.perceive()).dtls === 'closed');
  await eventually('no edge', async () => (await edge.metric('millrace_edge_streams')) === 0);
  for (const client of [publisher, first, second]) await client.close();
});

test('viewers who come together share a pull and its key frames; the next ones find it there', async (t) => {
  const { publisher, origin, edge } = await published('shared');
  const keyFramesAsked = () =>
    publisher.run<number>(
      `publication.pc.getStats().then((all) => [...all.values()].reduce((sum, s) => sum + (s.type === 'outbound-rtp' && s.kind === 'video' ? (s.pliCount ?? 0) + (s.firCount ?? 0) : 0), 0))`,
    );
  const [askedBefore, pullsBefore] = [await keyFramesAsked(), await edge.metric('millrace_edge_pulls_total')];
  const viewers = await Promise.all(Array.from({ length: 6 }, () => cluster.open(front)));
  const sinceMs = performance.now();
  for (const reply of await Promise.all(viewers.map((viewer) => viewer.play('shared')))) succeeded(reply);
  for (const viewer of viewers) {
    await eventually('a frame', async () => (await viewer.perceive()).framesDecoded > 0);
  }
  const elapsedS = (performance.now() - sinceMs) / 1000;
  const asked = (await keyFramesAsked()) - askedBefore;
  t.diagnostic(`${asked} key frames asked for by 6 viewers in ${elapsedS.toFixed(1)} s`);
  assert.ok(asked <= 1 + Math.ceil(elapsedS), `${asked} key frames were asked for in ${elapsedS} s`);
  assert.equal(await edge.metric('millrace_edge_pulls_total'), pullsBefore + 1);
  for (const viewer of viewers) succeeded(await viewer.request('stream.close', 'shared', {}));

  const [late] = viewers;
  assert.ok(late);
  assert.equal(await edge.metric('millrace_edge_streams'), 1);
  succeeded(await late.play('shared', {}, 'late'));
  await seesMovingPicture(late, 'green', { name: 'late' });
  assert.equal(await edge.metric('millrace_edge_pulls_total'), pullsBefore + 1);
  succeeded(await late.request('stream.close', 'shared', {}));
  await eventually('the pull to end', async () => (await origin.metric('millrace_pulls')) === 0, {
    timeoutMs: 30_000,
  });
  assert.equal(await edge.metric('millrace_edge_streams'), 0);
  succeeded(await publisher.request('stream.close', 'shared', {}));
  for (const client of [publisher, ...viewers]) await client.close();
});

test('viewers elsewhere follow their publisher to another connection', async () => {
  const { publisher, edge } = await published('moving');
  const [told, plain] = [await cluster.open(front, '?events=1'), await cluster.open(front)];
  for (const viewer of [told, plain]) {
    succeeded(await viewer.play('moving'));
    await seesMovingPicture(viewer, 'green');
  }
  assert.equal(await edge.metric('millrace_edge_viewers'), 2);
  succeeded(await publisher.publish('moving', { colour: COLOURS.blue }, 'again'));
  await eventually('the event', () => told.run<boolean>(ends('stream.moved')));
  await eventually('the closed DTLS', async () => (await plain.perceive()).dtls === 'closed');
  for (const viewer of [told, plain]) {
    succeeded(await viewer.play('moving', {}, 'again'));
    await seesMovingPicture(viewer, 'blue', { name: 'again' });
  }
  assert.equal(await edge.metric('millrace_edge_viewers'), 2);
  succeeded(await publisher.request('stream.close', 'moving', {}));
  await eventually('the end', () => told.run<boolean>(ends('stream.ended')));
  for (const client of [publisher, told, plain]) await client.close();
});

test('a media server dies, and viewers of its stream elsewhere are told at once', async (t) => {
  const { publisher, origin, edge } = await published('lost');
  const [told, plain] = [await cluster.open(front, '?events=1'), await cluster.open(front)];
  for (const viewer of [told, plain]) {
    succeeded(await viewer.play('lost'));
    await seesMovingPicture(viewer, 'green');
  }
  assert.equal(await edge.metric('millrace_edge_viewers'), 2);
  const sinceMs = performance.now();
  await origin.kill();
  await eventually(
    'the end',
    () =>
      told.run<boolean>(
        `session.events.some((e) => e.method === 'stream.ended' && e.data.reason === 'media_server_lost')`,
      ),
    { everyMs: 10 },
  );
  await eventually('the closed DTLS', async () => (await plain.perceive()).dtls === 'closed', {
    everyMs: 10,
  });
  t.diagnostic(`told after ${Math.round(performance.now() - sinceMs)} ms`);
  for (const client of [publisher, told, plain]) await client.close();
});
