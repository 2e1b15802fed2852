import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openClient } from '../client/client-page.ts';
import { Cluster } from '../cluster-processes/harness/cluster.ts';
import { launchBrowser } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { addCounting, watched } from './harness/counted.ts';

const cluster = await Cluster.start({ signaling: 1, media: 2 });
const running = await launchBrowser('chromium');
after(() => running.close());
const place = { server: cluster.front(0), browser: async () => running };

test('publisher and viewer are moved off a media server that drains, and the picture never stops', async (t) => {
  const publisher = await openClient(place, 'chromium');
  const viewer = await openClient(place, 'chromium');
  await Promise.all([publisher, viewer].map(addCounting));
  await publisher.run(`publishCounted('camera')`);
  await viewer.run(`startPlay('camera')`);
  await viewer.page.bringToFront();
  await viewer.run('watchCounted()');
  const shows = (frames: number) =>
    eventually(`${frames} pictures`, async () => {
      const seen = await viewer.run<number>('seen.length');
      if (seen >= frames) return true;
      throw new Error(JSON.stringify([seen, await viewer.run('log'), await publisher.run('log')]));
    });
  await shows(75);
  t.diagnostic(`before: ${JSON.stringify(await watched(viewer))}`);
  await viewer.run('void (seen.length = 0)');

  const leaving = await cluster.holderOf('camera');
  assert.ok(leaving);
  const sinceMs = performance.now();
  assert.equal(await leaving.stop(), 0);
  t.diagnostic(`the process ended after ${Math.round(performance.now() - sinceMs)} ms`);
  assert.ok(leaving.log.some(({ msg }) => msg === 'drained'));
  assert.notEqual(await cluster.holderOf('camera'), leaving);
  assert.ok(await viewer.run<boolean>(`log.includes('play moved')`));
  await shows((await viewer.run<number>('seen.length')) + 50);

  const during = await watched(viewer);
  t.diagnostic(`during: ${JSON.stringify(during)}`);
  const interruptions = [publisher, viewer].map((page) =>
    page.run<string[]>(`log.filter((entry) => /reconnecting|ended/.test(entry))`),
  );
  assert.deepEqual(await Promise.all(interruptions), [[], []]);
  assert.ok(during.longestPauseMs < 1000, `no picture for ${during.longestPauseMs} ms`);
  for (const page of [publisher, viewer]) await page.close();
});
