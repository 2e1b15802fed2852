import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { COLOURS, seesMovingPicture, succeeded } from '../harness/viewing.ts';

const fixture = await Fixture.start({
  MILLRACE_WORKERS: '2',
  MILLRACE_HEARTBEAT_TIMEOUT: '2s',
  MILLRACE_RESUME_TIMEOUT: '4s',
});

for (const browser of ['chromium', 'firefox'] as const) {
  test(`${browser} sees its play end when the publisher closes the stream`, async () => {
    const publisher = await fixture.open(browser);
    const viewer = await fixture.open(browser, '?events=1');
    const plain = await fixture.open(browser);
    succeeded(await publisher.publish('closing', { colour: COLOURS.green }));
    succeeded(await viewer.play('closing'));
    succeeded(await plain.play('closing'));
    await seesMovingPicture(viewer, 'green');
    await seesMovingPicture(plain, 'green');
    succeeded(await publisher.request('stream.close', 'closing', {}));
    await eventually('the event', () =>
      viewer.run<boolean>(
        `session.events.some((e) => e.method === 'stream.ended' && e.stream === 'closing')`,
      ),
    );
    await eventually('the closed DTLS', async () => (await plain.perceive()).dtls === 'closed');
    assert.equal((await plain.play('closing', {}, 'again')).err, 40402);
    for (const client of [publisher, viewer, plain]) await client.close();
  });

  test(`a publisher's tab in ${browser} is reloaded: its viewers are told and see the new picture`, async () => {
    const publisher = await fixture.open(browser);
    const viewer = await fixture.open(browser);
    succeeded(await publisher.publish('reloaded', { colour: COLOURS.red }));
    succeeded(await viewer.play('reloaded'));
    await seesMovingPicture(viewer, 'red');
    await publisher.close();
    const reloaded = await fixture.open(browser);
    succeeded(await reloaded.publish('reloaded', { colour: COLOURS.blue }));
    await eventually('the closed DTLS', async () => (await viewer.perceive()).dtls === 'closed', {
      timeoutMs: 10_000,
    });
    succeeded(await viewer.play('reloaded', {}, 'second'));
    await seesMovingPicture(viewer, 'blue', { name: 'second' });
    await reloaded.close();
    await viewer.close();
  });
}

test('a session that another connection takes over keeps its media, and the older socket closes with 4001', async () => {
  const publisher = await fixture.open('chromium');
  const viewer = await fixture.open('chromium');
  succeeded(await publisher.publish('taken', { colour: COLOURS.green }));
  succeeded(await viewer.play('taken'));
  const { framesDecoded } = await seesMovingPicture(viewer, 'green');
  await viewer.connect(fixture.server.wsUrl, 'newer');
  const id = await viewer.run<string>('session.id');
  await viewer.run(`newer.id = session.id`);
  const reply = await viewer.request('stream.heartbeat', 'taken', {}, 'newer');
  succeeded(reply);
  assert.equal(reply.session, id);
  await eventually('close code 4001', () => viewer.run<boolean>('session.closed?.code === 4001'));
  const later = await seesMovingPicture(viewer, 'green');
  assert.ok(later.framesDecoded > framesDecoded);
  assert.equal(later.connection, 'connected');
  assert.equal((await viewer.request('stream.mute', 'taken', { video: true }, 'newer')).err, 0);
  await publisher.close();
  await viewer.close();
});

test('a session whose heartbeats stop loses its socket with 4002, and after the resume time what it held', async () => {
  const publisher = await fixture.open('chromium');
  const viewer = await fixture.open('chromium', '?events=1');
  succeeded(await publisher.publish('silent', { colour: COLOURS.green }));
  succeeded(await viewer.play('silent'));
  succeeded(await publisher.request('stream.heartbeat', 'silent', {}));
  await eventually('close code 4002', () => publisher.run<boolean>('session.closed?.code === 4002'));
  await seesMovingPicture(viewer, 'green', { frames: 3 });
  await eventually('the stream to end', () =>
    viewer.run<boolean>(`session.events.some((e) => e.method === 'stream.ended' && e.stream === 'silent')`),
  );
  await publisher.close();
  await viewer.close();
});

test('a worker that dies takes only its own streams, whose sessions are told; a publish works within a second', async () => {
  const publishers = [];
  const viewers: { viewer: DocumentClientPage; plain: DocumentClientPage }[] = [];
  for (const stream of ['left', 'right']) {
    const publisher = await fixture.open('chromium', '?events=1');
    const viewer = await fixture.open('chromium', '?events=1');
    const plain = await fixture.open('chromium');
    succeeded(await publisher.publish(stream, { colour: COLOURS.blue }));
    succeeded(await viewer.play(stream));
    succeeded(await plain.play(stream));
    await seesMovingPicture(viewer, 'blue');
    publishers.push(publisher);
    viewers.push({ viewer, plain });
  }
  const told = (index: number) =>
    viewers[index]?.viewer.run<boolean>(
      `session.events.some((e) => e.method === 'stream.ended' && e.data.reason === 'media_server_lost')`,
    );
  const [pid] = fixture.server.workerPids();
  assert.ok(pid);
  process.kill(pid, 'SIGKILL');
  const lost = await eventually('one stream to end', async () => {
    const ended = await Promise.all([told(0), told(1)]);
    return ended.includes(true) ? { index: ended.indexOf(true) } : undefined;
  });
  const kept = 1 - lost.index;
  await eventually('the plain client to be told by 1012', () =>
    viewers[lost.index]?.plain.run<boolean>('session.closed?.code === 1012'),
  );
  const diedAt = Date.now();
  const again = await fixture.open('chromium');
  succeeded(await again.publish('after-death', { colour: COLOURS.green }));
  assert.ok(Date.now() - diedAt < 5000, 'a page and a publish took too long');
  assert.equal(fixture.server.workerPids().length, 2);
  const other = viewers[kept]?.viewer;
  assert.ok(other);
  await seesMovingPicture(other, 'blue');
  assert.equal(await told(kept), false);
  for (const client of [...publishers, ...viewers.flatMap(({ viewer, plain }) => [viewer, plain]), again]) {
    await client.close();
  }
});
