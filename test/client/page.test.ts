import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import { WebPage } from './web-page.ts';

const fixture = await Fixture.start({ MILLRACE_WORKERS: '1' });

const open = async (browser: 'chromium' | 'firefox', query = ''): Promise<WebPage> =>
  WebPage.open(await fixture.browser(browser), `${fixture.server.httpUrl}/${query}`);

const PAIRS = [
  ['chromium', 'firefox'],
  ['firefox', 'chromium'],
] as const;

for (const [publisherIn, viewerIn] of PAIRS) {
  test(`A link plays what ${publisherIn} publishes as soon as it is there, in ${viewerIn}`, async () => {
    const name = `link-${publisherIn}`;
    const viewer = await open(viewerIn, `?play=${name}`);
    await viewer.shows('#play-waiting', new RegExp(`Waiting for “${name}”`));
    const publisher = await open(publisherIn, `?publish=${name}&source=pattern`);
    await publisher.shows('#publish-badge', new RegExp(name));
    await viewer.playsPattern();
    await viewer.hearsTone(440);
    await viewer.shows('#play-figures', /\d+×\d+ · \d+ fps · VP8/);
    await viewer.shows('.stream', new RegExp(`${name}.*VP8 × 3.*Viewers1Bitrate`));

    await publisher.click('publish-mute-video');
    await viewer.shows('.stream', /picture muted/);
    assert.equal(
      await publisher.page.$eval('#publish-mute-video', (e) => e.getAttribute('aria-pressed')),
      'true',
    );
    await publisher.click('publish-mute-video');
    await viewer.playsPattern();

    await publisher.click('publish-stop');
    await viewer.shows('#play-alert', /The stream has ended. Its publisher stopped./);
    await publisher.shows('#publish-start', /Start publishing/);
    assert.deepEqual([publisher.complaints, viewer.complaints], [[], []]);
    await publisher.close();
    await viewer.close();
  });

  test(`A stream is chosen from the list, its publisher's tab reloaded, and ended by its button, in ${viewerIn}`, async () => {
    const name = `list ${publisherIn} / 流`;
    const publisher = await open(publisherIn, `?publish=${encodeURIComponent(name)}&source=pattern`);
    const viewer = await open(viewerIn);
    await viewer.shows('.stream-name', new RegExp(name));
    await viewer.page.locator(`button[aria-label="Play ${name}"]`).click();
    await viewer.playsPattern();
    await publisher.page.bringToFront();
    await publisher.page.reload();
    await publisher.shows('#publish-badge', new RegExp(name));
    await viewer.playsPattern();

    await viewer.shows('.stream', new RegExp(`${name}.*Viewers1Bitrate`));
    await viewer.page.locator(`button[aria-label="End ${name}"]`).click();
    await viewer.shows('#confirm', /Its publisher stops sending, and it ends for 1 viewer\./);
    await viewer.page.keyboard.press('Escape');
    await viewer.playsPattern();
    await viewer.page.locator(`button[aria-label="End ${name}"]`).click();
    await viewer.click('confirm-yes');
    await viewer.shows('#play-alert', /Somebody who runs this server ended it/);
    await publisher.shows('#publish-alert', /Somebody who runs this server ended it/);
    await viewer.lists(name, false);
    await publisher.close();
    await viewer.close();
  });
}

test('A name that is taken is refused in words, with the code and what to do', async () => {
  const first = await open('chromium', '?publish=taken&source=pattern');
  await first.shows('#publish-badge', /taken/);
  const second = await open('chromium', '?publish=taken&source=pattern');
  await second.shows('#publish-alert', /Somebody publishes under this name already. Choose another name/);
  await second.shows('#publish-alert', /40901/);
  await second.click('publish-random');
  await second.click('publish-start');
  await second.shows('#publish-badge', /-/);
  await first.close();
  await second.close();
});

test('Codec, bitrate and simulcast are chosen, and simulcast only where it can be', async () => {
  const page = await open('chromium');
  await page.page.locator('.options summary').click();
  await page.page.select('#publish-codec', 'VP9');
  assert.equal(
    await page.page.$eval('#publish-simulcast', (box) => (box as HTMLInputElement).disabled),
    true,
  );
  await page.type('publish-bitrate', '300');
  await page.type('publish-name', 'options');
  await page.click('publish-start');
  await page.shows('.stream', /options.*VP9/);
  await page.shows('#publish-figures', /VP9/);
  await page.click('publish-stop');
  await page.lists('options', false);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test('A camera is published, its preview shown, and only one viewer’s sound muted', async () => {
  const page = await open('chromium');
  await page.page.locator('label:has(input[value="camera"])').click();
  await page.type('publish-name', 'camera');
  await page.click('publish-start');
  await page.shows('#publish-badge', /camera/);
  await page.type('play-name', 'camera');
  await page.click('play-start');
  await eventually('the picture', () =>
    page.page.$eval('#play-video', (video) => (video as HTMLVideoElement).currentTime > 1),
  );
  await page.click('play-mute-audio');
  await eventually('the mute', () =>
    page.page.$eval('#play-mute-audio', (button) => button.getAttribute('aria-pressed') === 'true'),
  );
  const reply = await fetch(`${fixture.server.httpUrl}/api/v1/streams/camera`);
  const { muted, plays } = (await reply.json()) as {
    muted: { audio: boolean };
    plays: { muted: { audio: boolean } }[];
  };
  assert.equal(muted.audio, false);
  assert.deepEqual(
    plays.map((play) => play.muted.audio),
    [true],
  );
  await page.page.locator('summary[aria-label="Viewers of camera"]').click();
  await page.shows('.viewers td', /bit\/s/);
  await page.click('publish-stop');
  await page.lists('camera', false);
  await page.close();
});

test('The page speaks Chinese when asked to, and remembers it', async () => {
  const page = await open('firefox');
  await page.page.select('#language', 'zh');
  await page.shows('#publish-start', /开始推流/);
  assert.equal(await page.page.$eval('html', (html) => html.lang), 'zh-CN');
  await page.page.reload();
  await page.shows('#publish-start', /开始推流/);
  await page.shows('#connection', /已连接/);
  await page.page.select('#language', 'en');
  await page.close();
});

test('Everything is reached and started by keyboard alone', async () => {
  const page = await open('chromium');
  await page.shows('#connection', /Connected/);
  const order: string[] = [];
  for (let press = 0; press < 9; press += 1) {
    await page.page.keyboard.press('Tab');
    order.push(
      await page.page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName || ''),
    );
  }
  assert.deepEqual(order, [
    'A',
    'language',
    'INPUT',
    'publish-name',
    'publish-random',
    'SUMMARY',
    'publish-start',
    'play-name',
    'play-start',
  ]);
  await page.page.focus('#publish-name');
  await page.page.keyboard.press('Enter');
  await page.shows('#publish-badge', /-/);
  assert.equal(await page.page.evaluate(() => document.activeElement?.id), 'publish-stop');
  await page.page.keyboard.press('Enter');
  await page.shows('#publish-start', /Start publishing/);
  assert.equal(await page.page.evaluate(() => document.activeElement?.id), 'publish-start');
  await page.close();
});

test('A screen reader finds a name for every control', async () => {
  const page = await open('chromium', '?publish=named&source=pattern');
  await page.shows('.stream', /named/);
  const tree = await page.page.accessibility.snapshot({ interestingOnly: true });
  const nameless: string[] = [];
  const walk = (node: { role: string; name?: string; children?: unknown[] } | null): void => {
    if (node === null) return;
    if (['button', 'textbox', 'combobox', 'checkbox', 'radio', 'link'].includes(node.role) && !node.name) {
      nameless.push(JSON.stringify(node));
    }
    for (const child of node.children ?? []) walk(child as typeof node);
  };
  walk(tree);
  assert.deepEqual(nameless, []);
  const names = JSON.stringify(tree);
  for (const name of ['Play named', 'End named', 'Mute sound', 'Stop', 'Language']) {
    assert.ok(names.includes(`"${name}"`), name);
  }
  await page.close();
});
