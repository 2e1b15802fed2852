import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BrowserName } from '../harness/browser.ts';
import { eventually } from '../harness/condition.ts';
import { Fixture } from '../harness/fixture.ts';
import { loseFrom } from '../harness/network-fault.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { openClient } from './client-page.ts';

const fixture = await Fixture.start({ MILLRACE_WORKERS: '1' });

const GREEN = { pattern: { colour: 'rgb(0,160,0)' } };
const BLUE = { pattern: { colour: 'rgb(0,0,200)' } };

/** Publishes green in one page and plays it in another, until moving pictures are seen. */
async function start(
  stream: string,
  publisherIn: BrowserName,
  viewerIn: BrowserName,
  options: object = GREEN,
) {
  const publisher = await openClient(fixture, publisherIn);
  const viewer = await openClient(fixture, viewerIn);
  await publisher.run(`startPublish(${JSON.stringify(stream)}, ${JSON.stringify(options)})`);
  await viewer.run(`startPlay(${JSON.stringify(stream)})`);
  await sees(viewer, 1);
  return { publisher, viewer, stream };
}

/** Waits for ten more pictures in which one of red (0), green (1) and blue (2) is strong. */
async function sees(viewer: DocumentClientPage, strong: number): Promise<void> {
  // Pictures of a page that nobody looks at are not presented.
  await viewer.page.bringToFront();
  const before = await viewer.run<number>('frames.length');
  await eventually(
    `moving pictures with strong channel ${strong}`,
    async () => {
      const seen = await viewer.run<{ frames: number; colour: number[]; log: string[] }>(
        '({ frames: frames.length, colour: look(), log })',
      );
      if (seen.frames >= before + 10 && (seen.colour[strong] ?? 0) > 100) return true;
      throw new Error(JSON.stringify(seen));
    },
    { timeoutMs: 40_000 },
  );
}

async function close(...pages: DocumentClientPage[]): Promise<void> {
  for (const page of pages) {
    await page.run('client.close()');
    await page.close();
  }
}

for (const browser of ['chromium', 'firefox'] as const) {
  test(`${browser}: a socket that is cut is taken over by the next one, and no picture is missed`, async () => {
    const { publisher, viewer } = await start(`cut-${browser}`, browser, browser);
    const since = await viewer.run<number>('performance.now()');
    await viewer.run('cutSockets()');
    await publisher.run('cutSockets()');
    for (const page of [viewer, publisher]) {
      await eventually('the next connection', () =>
        page.run<boolean>(`log.join().includes('reconnecting,connected')`),
      );
    }
    await sees(viewer, 1);
    assert.equal(await viewer.run('playback.reconnecting'), false);
    assert.ok((await viewer.run<number>(`longestPauseMs(${since})`)) < 1000);
    await viewer.run('playback.mute({ audio: true })');
    await close(publisher, viewer);
  });

  test(`${browser}: when another publisher takes the name, the viewer switches without an empty picture`, async () => {
    const { publisher, viewer, stream } = await start(`moved-${browser}`, browser, browser);
    const tracks = await viewer.run<string[]>('playback.mediaStream.getTracks().map(({ id }) => id)');
    // Its socket is gone but its media flows on, until the next publisher's does.
    await publisher.run('(CutSocket.blocked = true, cutSockets())');
    const successor = await openClient(fixture, browser);
    const since = await viewer.run<number>('performance.now()');
    await viewer.page.bringToFront();
    await successor.run(`startPublish(${JSON.stringify(stream)}, ${JSON.stringify(BLUE)})`);
    await sees(viewer, 2);
    const pauseMs = await viewer.run<number>(`longestPauseMs(${since})`);
    assert.ok(pauseMs < 1000, `no picture for ${pauseMs} ms`);
    assert.deepEqual(await viewer.run('log.filter((entry) => entry.startsWith("play"))'), [
      'play connected',
      'play moved',
    ]);
    assert.notDeepEqual(await viewer.run('playback.mediaStream.getTracks().map(({ id }) => id)'), tracks);
    assert.equal(await viewer.run('video.srcObject === playback.mediaStream'), true);
    await close(publisher, successor, viewer);
  });

  test(`${browser}: after the worker died the publisher publishes again and the viewer plays again`, async () => {
    const { publisher, viewer } = await start(`worker-${browser}`, browser, browser);
    await publisher.run('publication.mute({ audio: true })');
    for (const pid of fixture.server.workerPids()) process.kill(pid, 'SIGKILL');
    await eventually('a new connection', async () => {
      if (await viewer.run<boolean>(`log.includes('play moved')`)) return true;
      throw new Error(JSON.stringify([await viewer.run('log'), await publisher.run('log')]));
    });
    await sees(viewer, 1);
    await eventually('the mute to be there again', async () => {
      const reply = await fetch(`${fixture.server.httpUrl}/api/v1/streams/worker-${browser}`);
      const { muted } = (await reply.json()) as { muted: { audio: boolean; video: boolean } };
      return muted.audio && !muted.video;
    });
    await close(publisher, viewer);
  });

  test(`${browser}: a path that was cut is restored by an ICE restart`, async () => {
    const { publisher, viewer } = await start(`ice-${browser}`, browser, browser);
    const fault = loseFrom(fixture.server.rtcPort, 1);
    try {
      await eventually(
        'the loss to be noticed',
        () => viewer.run<boolean>(`log.includes('play reconnecting')`),
        {
          timeoutMs: 40_000,
        },
      );
    } finally {
      fault.remove();
    }
    await eventually('the path', () => viewer.run<boolean>(`log.includes('play resumed')`), {
      timeoutMs: 40_000,
    });
    await sees(viewer, 1);
    await close(publisher, viewer);
  });

  test(`${browser}: simulcast, a codec and a bitrate limit reach the server, and figures come back`, async () => {
    const options = {
      pattern: { colour: 'noise', width: 640, height: 360 },
      publish: { simulcast: true, codecs: ['VP8'], maxBitrateBps: 500_000 },
    };
    const publisher = await openClient(fixture, browser);
    await publisher.run(`startPublish('options-${browser}', ${JSON.stringify(options)})`);
    await eventually('figures', async () => {
      const { encodings, bitrateBps } = await publisher.run<{
        encodings: { kind: string; codec: string }[];
        bitrateBps: number;
      }>('publication.stats()');
      const video = encodings.filter(({ kind }) => kind === 'video');
      return video.length === 3 && video.some(({ codec }) => codec === 'VP8') && bitrateBps > 100_000;
    });
    await eventually('the limit to hold', async () => {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const { bitrateBps } = await publisher.run<{ bitrateBps: number }>('publication.stats()');
      return bitrateBps > 100_000 && bitrateBps < 700_000;
    });
    await close(publisher);
  });
}

test('A stream that ends is told with its reason, and one that never began rejects', async () => {
  const { publisher, viewer } = await start('ends', 'chromium', 'firefox');
  await publisher.run('publication.close()');
  await eventually('the end', () => viewer.run<boolean>(`log.includes('play ended publisher_closed')`));
  const code = await viewer.run('client.play("never").catch(({ errorName, code }) => [errorName, code])');
  assert.deepEqual(code, ['stream_not_found', 40402]);
  await close(publisher, viewer);
});

test('A stream is waited for, and its tracks changed while it runs', async () => {
  const viewer = await openClient(fixture, 'chromium');
  const publisher = await openClient(fixture, 'chromium');
  await viewer.page.evaluate(`void (globalThis.waiting = startPlay('later', { waitMs: 20000 }))`);
  await publisher.run(`startPublish('later', ${JSON.stringify(GREEN)})`);
  await viewer.run('waiting.then(() => true)');
  await sees(viewer, 1);
  await publisher.run(
    `publication.replaceTrack(documentClient.pattern(${JSON.stringify(BLUE.pattern)}).stream.getVideoTracks()[0])`,
  );
  await sees(viewer, 2);
  await close(publisher, viewer);
});
