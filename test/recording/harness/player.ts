import type { Browser } from 'puppeteer-core';
import { GRID, readCounter } from './counter-code.ts';
import { serveFile } from './file-server.ts';

/** What a browser's own player makes of a file. */
export interface Played {
  readonly durationMs: number;
  readonly width: number;
  readonly height: number;
  /** Where playing from the start ended, by itself. */
  readonly endedAtMs: number;
  readonly seeks: readonly Seek[];
}

export interface Seek {
  readonly wantedMs: number;
  readonly reachedMs: number;
  /** What the picture there shows; undefined when there is none, or it cannot be read. */
  readonly counter: number | undefined;
}

/** Faster than that Firefox plays no sound. */
const RATE = 4;
const SPARE_MS = 30_000;
const SEEK_DEADLINE_MS = 15_000;

/**
 * Plays a file from start to end, at four times its speed, then seeks to these shares of its length.
 * @throws Error when the player stops with an error, or does not get to the end or to a place in time
 */
export async function playInBrowser(
  browser: Browser,
  file: string,
  { shares = [0.5, 0.1, 0.9, 0.3] }: { readonly shares?: readonly number[] } = {},
): Promise<Played> {
  const server = await serveFile(file);
  const page = await browser.newPage();
  try {
    await page.goto(server.pageUrl);
    const text = await page.evaluate(
      `(${playFile})(${JSON.stringify({ url: server.fileUrl, rate: RATE, spareMs: SPARE_MS, seekMs: SEEK_DEADLINE_MS, grid: GRID, shares })})`,
    );
    const { seeks, ...played } = JSON.parse(String(text)) as Omit<Played, 'seeks'> & {
      seeks: { wantedMs: number; reachedMs: number; gray: string }[];
    };
    return {
      ...played,
      seeks: seeks.map(({ gray, ...seek }) => ({
        ...seek,
        counter: readCounter(Buffer.from(gray, 'base64')),
      })),
    };
  } finally {
    await page.close();
    await server.close();
  }
}

/** Runs in the page. */
const playFile = `async ({ url, rate, spareMs, seekMs, grid, shares }) => {
  const video = document.createElement('video');
  video.muted = true;
  video.preload = 'auto';
  document.body.append(video);
  const failed = new Promise((_, reject) => {
    video.onerror = () => reject(new Error('player: ' + video.error.code + ' ' + video.error.message));
  });
  const state = () => JSON.stringify({ at: video.currentTime, duration: video.duration, ready: video.readyState,
    buffered: [...Array(video.buffered.length).keys()].map((n) => [video.buffered.start(n), video.buffered.end(n)]) });
  const happens = (event, withinMs) => Promise.race([
    failed,
    new Promise((resolve) => video.addEventListener(event, resolve, { once: true })),
    new Promise((_, reject) => setTimeout(() => reject(new Error('player: no ' + event + ' within ' + withinMs + ' ms, ' + state())), withinMs)),
  ]);
  const known = happens('loadedmetadata', spareMs);
  video.src = url;
  await known;
  const durationMs = video.duration * 1000;
  const size = { width: video.videoWidth, height: video.videoHeight };
  video.playbackRate = rate;
  const ended = happens('ended', durationMs / rate + spareMs);
  await video.play();
  await ended;
  const endedAtMs = video.currentTime * 1000;
  const canvas = document.createElement('canvas');
  Object.assign(canvas, grid);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingQuality = 'high';
  const seeks = [];
  for (const share of shares) {
    const wantedMs = durationMs * share;
    const seeked = happens('seeked', seekMs);
    video.currentTime = wantedMs / 1000;
    await seeked;
    // The picture may be shown a little later than the player says that it is there.
    await new Promise((resolve) => setTimeout(resolve, 150));
    context.drawImage(video, 0, 0, grid.width, grid.height);
    const { data } = context.getImageData(0, 0, grid.width, grid.height);
    let gray = '';
    for (let at = 0; at < data.length; at += 4) gray += String.fromCharCode((data[at] + data[at + 1] + data[at + 2]) / 3);
    seeks.push({ wantedMs, reachedMs: video.currentTime * 1000, gray: btoa(gray) });
  }
  return JSON.stringify({ durationMs, ...size, endedAtMs, seeks });
}`;
