import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { eventually } from '../harness/condition.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { COLOURS, seesMovingPicture, succeeded } from '../harness/viewing.ts';
import { Cluster, type MediaRole } from './harness/cluster.ts';
import { longestFreezeMs } from './harness/freeze.ts';

const cluster = await Cluster.start({ signaling: 2, media: 2 });
const [one, two] = [cluster.front(0), cluster.front(1)];

const lost = (client: DocumentClientPage, stream: string) =>
  client.run<boolean>(
    `session.events.some((e) => e.method === 'stream.ended' && e.stream === '${stream}' && e.data.reason === 'media_server_lost')`,
  );

/** A stream that is played by both signaling processes, and the media server that has it. */
async function played(stream: string) {
  const publisher = await cluster.open(one, '?events=1');
  const viewers = [await cluster.open(one, '?events=1'), await cluster.open(two, '?events=1')];
  succeeded(await publisher.publish(stream, { colour: COLOURS.green }));
  for (const viewer of viewers) {
    succeeded(await viewer.play(stream));
    await seesMovingPicture(viewer, 'green');
  }
  const holder = await cluster.holderOf(stream);
  assert.ok(holder);
  const clients = [publisher, ...viewers];
  return {
    publisher,
    viewers,
    clients,
    holder,
    close: () => Promise.all(clients.map((client) => client.close())),
  };
}

/** Everybody is told, publishes and plays again; the dead one is fenced. */
async function recovers(
  t: TestContext,
  stream: string,
  { clients, publisher, viewers, holder }: Awaited<ReturnType<typeof played>>,
  sinceMs: number,
) {
  const elapsedMs = () => Math.round(performance.now() - sinceMs);
  for (const client of clients)
    await eventually('the event', () => lost(client, stream), { everyMs: 10, timeoutMs: 10_000 });
  t.diagnostic(`all were told after ${elapsedMs()} ms`);
  succeeded(await publisher.publish(stream, { colour: COLOURS.blue }, 'again'));
  t.diagnostic(`published again after ${elapsedMs()} ms`);
  assert.notEqual(await cluster.holderOf(stream), holder);
  for (const viewer of viewers) {
    succeeded(await viewer.play(stream, { data: { wait_ms: 2000 }, more: { id: 1 } }, 'again'));
  }
  for (const viewer of viewers) {
    await eventually('a blue picture', async () => (await viewer.perceive('again')).framesDecoded > 0, {
      everyMs: 20,
    });
  }
  t.diagnostic(`a frame everywhere after ${elapsedMs()} ms`);
  for (const viewer of viewers) await seesMovingPicture(viewer, 'blue', { name: 'again' });
  await eventually(
    'the fence',
    async () => !(await cluster.registry.nodes()).some(({ id }) => id === holder.node),
  );
}

test('a media server is killed: all are told at once, and the stream goes on elsewhere', async (t) => {
  const scene = await played('killed');
  const sinceMs = performance.now();
  await scene.holder.kill();
  await recovers(t, 'killed', scene, sinceMs);
  await scene.close();
});

test('a media server stands still: it is taken for dead, and ends itself when it wakes up', async (t) => {
  await cluster.addMedia();
  const scene = await played('frozen');
  const sinceMs = performance.now();
  scene.holder.process.kill('SIGSTOP');
  await recovers(t, 'frozen', scene, sinceMs);
  scene.holder.process.kill('SIGCONT');
  await eventually('its end', () => scene.holder.process.exitCode === 1);
  assert.ok(scene.holder.log.some(({ msg }) => msg.startsWith('fenced by the registry')));
  await scene.close();
});

test('a signaling process stands still: media goes on, and when it wakes up all is as it was', async (t) => {
  await cluster.addMedia();
  const { publisher, viewers, holder, close } = await played('patient');
  const [here, elsewhere] = viewers;
  assert.ok(here && elsewhere);
  const losses = () =>
    [one, two].map(({ log }) => log.filter(({ msg }) => msg === 'media server lost').length);
  const before = losses();
  one.process.kill('SIGSTOP');
  const freezes = await Promise.all([longestFreezeMs(here, 3000), longestFreezeMs(elsewhere, 3000)]);
  assert.ok(Math.max(...freezes) < 1000, `the picture stood still for ${freezes.join(', ')} ms`);
  one.process.kill('SIGCONT');
  succeeded(await publisher.request('stream.mute', 'patient', { audio: true }));
  // What happened while it stood still, it is told afterwards.
  one.process.kill('SIGSTOP');
  await endsPlayOf(holder, elsewhere);
  one.process.kill('SIGCONT');
  succeeded(await publisher.request('stream.close', 'patient', {}));
  await eventually('the event', () =>
    here.run<boolean>(`session.events.some((e) => e.method === 'stream.ended' && e.stream === 'patient')`),
  );
  assert.deepEqual(losses(), before);
  t.diagnostic(`longest time without a frame: ${freezes.map(Math.round).join(', ')} ms`);
  await close();
});

/** Something that the media server tells all signaling processes. */
async function endsPlayOf(holder: MediaRole, viewer: DocumentClientPage): Promise<void> {
  await viewer.run('playback.pc.close()');
  await eventually('the end of the play', () =>
    holder.log.some(({ msg, reason }) => msg === 'play ended' && reason === 'transport_lost'),
  );
}
