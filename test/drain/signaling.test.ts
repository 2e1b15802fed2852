import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer } from 'node:net';
import { after, test } from 'node:test';
import { openClient } from '../client/client-page.ts';
import { Cluster } from '../cluster-processes/harness/cluster.ts';
import { launchBrowser } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { addCounting, watched } from './harness/counted.ts';

const cluster = await Cluster.start({ signaling: 2, media: 1 });
const running = await launchBrowser('chromium');
after(() => running.close());

/** One address for both, as a load balancer has: whichever takes the connection. */
const balancer = createServer((socket) => {
  const ports = cluster.signaling.map(({ httpUrl }) => Number(new URL(httpUrl).port));
  const tryNext = () => {
    const port = ports.shift();
    if (port === undefined) {
      socket.destroy();
      return;
    }
    const onward = connect(port, '127.0.0.1', () => {
      socket.pipe(onward).pipe(socket);
      onward.off('error', tryNext).on('error', () => socket.destroy());
    }).once('error', tryNext);
    socket.on('error', () => onward.destroy()).on('close', () => onward.destroy());
  };
  tryNext();
});
await new Promise<void>((resolve) => balancer.listen(0, '127.0.0.1', resolve));
after(() => balancer.close());

test('clients of a signaling process that drains go on at another one, and media does not notice', async (t) => {
  const { port } = balancer.address() as AddressInfo;
  const place = {
    server: { httpUrl: `http://localhost:${port}`, wsUrl: `ws://localhost:${port}` },
    browser: async () => running,
  };
  const publisher = await openClient(place, 'chromium');
  const viewer = await openClient(place, 'chromium');
  await Promise.all([publisher, viewer].map(addCounting));
  await publisher.run(`publishCounted('camera')`);
  await viewer.run(`startPlay('camera')`);
  await viewer.page.bringToFront();
  await viewer.run('watchCounted()');
  const shows = (frames: number) =>
    eventually(`${frames} pictures`, async () => (await viewer.run<number>('seen.length')) >= frames);
  await shows(25);
  assert.equal(await cluster.front(0).stop(), 0);
  for (const page of [publisher, viewer]) {
    await eventually('the other process', () =>
      page.run<boolean>(`log.join().includes('reconnecting,connected')`),
    );
  }
  await shows((await viewer.run<number>('seen.length')) + 25);
  assert.equal(cluster.front(1).log.filter(({ msg }) => msg === 'session adopted').length, 2);
  await publisher.run('publication.mute({ audio: true })');
  const interruptions = [publisher, viewer].map((page) =>
    page.run<string[]>(`log.filter((entry) => /(play|publish) (reconnecting|ended|moved)/.test(entry))`),
  );
  assert.deepEqual(await Promise.all(interruptions), [[], []]);
  const seen = await watched(viewer);
  t.diagnostic(JSON.stringify(seen));
  assert.ok(seen.longestPauseMs < 2000, `no picture for ${seen.longestPauseMs} ms`);
  for (const page of [publisher, viewer]) await page.close();
});
