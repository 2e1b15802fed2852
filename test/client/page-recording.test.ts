import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fixture } from '../harness/fixture.ts';
import { WebPage } from './web-page.ts';

const fixture = await Fixture.start({ MILLRACE_WORKERS: '1' });

for (const browser of ['chromium', 'firefox'] as const) {
  test(`A live stream is recorded by a button, stopped by another, watched and sought in the page, in ${browser}`, async () => {
    const name = `recorded-${browser}`;
    const address = `${fixture.server.httpUrl}/?publish=${name}&source=pattern`;
    const page = await WebPage.open(await fixture.browser(browser), address);
    await page.shows('#publish-badge', new RegExp(name));
    await page.page.locator(`button[aria-label="Record ${name}"]`).click();
    await page.shows('.recording', new RegExp(`${name}-.*webm.*recording.*Gapsnone.*Not durable yet.* ms`));
    // Long enough that there is something to seek.
    await page.shows('.recording:first-child .figure-value', /^0:0[4-9]$/);
    await page.page.locator(`.recording button[aria-label^="Stop recording ${name}"]`).click();
    await page.shows('.recording', new RegExp(`${name}.*complete`));
    await page.shows('#recordings-summary', /0 running/);

    await page.page.locator('.recording:first-child .film summary').click();
    const film = await page.page.waitForSelector('.recording:first-child .film video');
    const seen = await film?.evaluate(async (element) => {
      const video = element as HTMLVideoElement;
      const happens = (event: string) =>
        new Promise((resolve, reject) => {
          video.addEventListener(event, resolve, { once: true });
          video.addEventListener('error', () => reject(new Error(video.error?.message)), { once: true });
        });
      video.muted = true;
      if (video.readyState < 1) await happens('loadedmetadata');
      const { duration, videoWidth } = video;
      video.currentTime = duration / 2;
      await happens('seeked');
      const sought = video.currentTime / duration;
      await Promise.all([happens('ended'), video.play()]);
      return { duration, videoWidth, sought, end: video.currentTime };
    });
    assert.ok(seen);
    assert.ok(seen.duration >= 4 && seen.duration < 60, `duration ${seen.duration}`);
    assert.ok(seen.videoWidth > 0 && Math.abs(seen.sought - 0.5) < 0.1, JSON.stringify(seen));
    assert.ok(Math.abs(seen.end - seen.duration) < 0.2, JSON.stringify(seen));
    assert.deepEqual(page.complaints, []);
    await page.close();
  });
}
