import assert from 'node:assert/strict';
import { after, type TestContext, test } from 'node:test';
import { openClient } from '../client/client-page.ts';
import { Cluster } from '../cluster-processes/harness/cluster.ts';
import { launchBrowser } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import type { DocumentClientPage } from '../harness/page.ts';

/** Ten and more when it is measured by hand (docs/cluster.md). */
const KILLS = Number(process.env.KILLS ?? 3);
/** On a machine that is busy with other things; what a quiet one is held to is measured by hand. */
const MAX_MS = Number(process.env.MAX_MS ?? 10_000);

const cluster = await Cluster.start({ signaling: 2, media: 2 });
const browser = await launchBrowser('chromium');
after(() => browser.close());

const pageAt = (index: number) =>
  openClient({ server: cluster.front(index), browser: async () => browser }, 'chromium');

/** Pictures that were decoded and shown, by the page's clock. */
const framesOf = (viewer: DocumentClientPage) => viewer.run<number[]>('frames');

/** @returns from a moment to the first picture behind the longest pause since then, ms */
async function pauseEndMs(viewer: DocumentClientPage, sinceMs: number): Promise<number> {
  const frames = (await framesOf(viewer)).filter((at) => at >= sinceMs);
  let [longest, end] = [0, 0];
  frames.reduce((before, at) => {
    if (at - before > longest) [longest, end] = [at - before, at];
    return at;
  }, sinceMs);
  return end - sinceMs;
}

async function moves(viewer: DocumentClientPage, frames = 15): Promise<void> {
  const before = (await framesOf(viewer)).length;
  await eventually('moving pictures', async () => (await framesOf(viewer)).length >= before + frames, {
    timeoutMs: 40_000,
  });
}

function report(t: TestContext, what: string, values: readonly number[]): void {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  t.diagnostic(`${what}: ${values.map(Math.round).join(', ')} ms; p50 ${at(0.5)}, p95 ${at(0.95)}`);
}

test('a media server is killed again and again: its publisher and viewer go on elsewhere by themselves', async (t) => {
  const publisher = await pageAt(0);
  const viewer = await pageAt(1);
  await publisher.run(`startPublish('phoenix', { pattern: { colour: 'rgb(0,160,0)' } })`);
  await viewer.run(`startPlay('phoenix')`);
  await viewer.page.bringToFront();
  await moves(viewer);
  const times: number[] = [];
  for (let kill = 1; kill <= KILLS; kill++) {
    const holder = await cluster.holderOf('phoenix');
    assert.ok(holder);
    const sinceMs = await viewer.run<number>('performance.now()');
    await holder.kill();
    await eventually('another holder', async () => {
      const now = await cluster.holderOf('phoenix');
      return now !== undefined && now !== holder;
    });
    // The dead one sends none: what is seen from now on comes from the other, however short the pause was.
    await moves(viewer);
    times.push(await pauseEndMs(viewer, sinceMs));
    await cluster.addMedia();
    await moves(viewer);
  }
  report(t, 'from SIGKILL of the media server to the next picture', times);
  t.diagnostic(`viewer ${JSON.stringify(await viewer.run('log'))}`);
  assert.ok(Math.max(...times) < MAX_MS);
  for (const page of [publisher, viewer]) await page.close();
});
