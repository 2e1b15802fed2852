import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import type { Browser, Page } from 'puppeteer-core';
import { launchBrowser } from '../test/harness/browser.ts';
import { startServer } from '../test/harness/server.ts';
import { startBare, workerBinary } from './bare.ts';
import { pause } from './measure/pause.ts';
import { quantile } from './measure/statistics.ts';
import type { Bench } from './report.ts';
import { secureUrl } from './secure-url.ts';

const MAX_RATIO = 1.2;
const STREAM = 'join';
/** The address that in-namespace.sh makes, which browsers offer media from; else this machine's own will do. */
const NAMESPACE_ADDRESS = '10.99.0.1';

interface Times {
  /** All in ms since the decision to play. */
  readonly opened?: number;
  readonly answered?: number;
  readonly connected?: number;
  readonly decoded: number;
}

interface Contestant {
  readonly name: string;
  readonly url: string;
  readonly function: 'join' | 'joinWithClient';
}

/** From the decision to play to the first decoded frame in Chromium, beside a bare server with the same worker. */
export const join: Bench = async ({ short, say }) => {
  const rounds = short ? 5 : 60;
  const rtcIp = process.env.TEST_NAMESPACE === 'inside' ? NAMESPACE_ADDRESS : '127.0.0.1';
  const server = await startServer({ MILLRACE_WORKERS: '1', MILLRACE_RTC_LISTEN: rtcIp });
  const bare = await startBare('bare-server.ts', [workerBinary('patched'), 'verbatim'], {
    BARE_RTC_IP: rtcIp,
  });
  const millraceUrl = secureUrl(server);
  const bareUrl = `wss://localhost:${bare.securePort}/`;
  const contestants: readonly Contestant[] = [
    { name: 'bare mediasoup', url: bareUrl, function: 'join' },
    { name: 'Millrace', url: millraceUrl, function: 'join' },
    { name: 'Millrace, @millrace/client', url: millraceUrl, function: 'joinWithClient' },
  ];
  const all = new Map<string, Times[]>(contestants.map(({ name }) => [name, []]));
  // One of each, so that the publisher's work is not on the viewer's threads.
  const browsers = await Promise.all([launchBrowser('chromium'), launchBrowser('chromium')]);
  try {
    const [publisher, viewer] = await Promise.all(
      browsers.map((browser) => openPage(browser, millraceUrl.replace(/^wss/, 'https'))),
    );
    if (!publisher || !viewer) throw new Error('no pages');
    await viewer.evaluate(await clientBundle());
    for (const url of [millraceUrl, bareUrl])
      await publisher.evaluate(`joinPage.publish('${url}', '${STREAM}')`);
    // Bitrate and estimates of the publishers settle; the first joins of all warm up code and caches.
    await pause(3000);
    for (let round = -2; round < rounds; round++) {
      const order = round % 2 === 0 ? contestants : contestants.toReversed();
      for (const contestant of order) {
        const times = (await viewer.evaluate(
          `joinPage.${contestant.function}('${contestant.url}', '${STREAM}')`,
        )) as Times;
        await viewer.evaluate('joinPage.release()');
        if (round >= 0) all.get(contestant.name)?.push(times);
        // Chromium sends no second key frame within 300 ms, and mediasoup asks again only after 1 s: joins so
        // close together are not what is measured. Any phase of the publisher's frames must be as likely as another.
        await pause(500 + Math.random() * 100);
      }
      if (round % 10 === 0) say(`round ${round} of ${rounds}`);
    }
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    bare.stop();
    await server.stop();
  }
  return {
    title: `Joining a stream in Chromium: from the decision to play to the first decoded frame, ${rounds} joins each`,
    ...judge(all),
    data: Object.fromEntries(all),
  };
};

async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  // An empty page of the server's origin, without the policy that the server's own pages have.
  await page.setRequestInterception(true);
  page.once('request', (request) => {
    void request.respond({ contentType: 'text/html', body: '<!doctype html>' });
  });
  await page.goto(`${url}/empty`, { waitUntil: 'load' });
  await page.setRequestInterception(false);
  await page.evaluate(readFileSync(new URL('join-page.js', import.meta.url), 'utf8'));
  return page;
}

async function clientBundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL('../client/src/index.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'millraceClient',
    platform: 'browser',
    minify: true,
  });
  return `${outputFiles[0]?.text};globalThis.millraceClient = millraceClient;`;
}

/** Parts of a join, each from the end of the one before it. */
const PARTS: readonly { readonly name: string; readonly of: (times: Times) => number | undefined }[] = [
  { name: 'socket', of: ({ opened }) => opened },
  { name: 'answer', of: ({ opened, answered }) => difference(answered, opened) },
  { name: 'ICE and DTLS', of: ({ answered, connected }) => difference(connected, answered) },
  { name: 'first frame', of: ({ connected, decoded }) => difference(decoded, connected) },
];

function difference(later: number | undefined, earlier: number | undefined): number | undefined {
  return later === undefined || earlier === undefined ? undefined : later - earlier;
}

function judge(all: ReadonlyMap<string, readonly Times[]>) {
  const at = (name: string, share: number) =>
    quantile(
      (all.get(name) ?? []).map(({ decoded }) => decoded),
      share,
    );
  const ratio = (name: string, share: number) => at(name, share) / at('bare mediasoup', share);
  const rows = [...all].map(([name, joins]) => [
    name,
    at(name, 0.5).toFixed(1),
    at(name, 0.95).toFixed(1),
    ratio(name, 0.5).toFixed(2),
    ratio(name, 0.95).toFixed(2),
    ...PARTS.map(({ of }) => {
      const values = joins.flatMap((times) => of(times) ?? []);
      return values.length === 0
        ? ''
        : `${quantile(values, 0.5).toFixed(1)} / ${quantile(values, 0.95).toFixed(1)}`;
    }),
  ]);
  return {
    columns: ['ms', 'p50', 'p95', 'p50 ratio', 'p95 ratio', ...PARTS.map(({ name }) => `${name} p50 / p95`)],
    rows,
    verdicts: ['Millrace', 'Millrace, @millrace/client'].flatMap((name) =>
      ([0.5, 0.95] as const).map((share) => ({
        what: `${name}: p${share * 100}, of bare mediasoup’s`,
        measured: ratio(name, share).toFixed(2),
        target: `at most ${MAX_RATIO}`,
        met: ratio(name, share) <= MAX_RATIO,
      })),
    ),
    notes: [
      'The socket (wss) is not open yet at the decision. Joins of all are interleaved; one Chromium publishes 640x360 at 30 frames/s to both servers, another plays.',
      'Bare mediasoup has the same patched worker and the same SDP functions, and nothing else. The two first rows use the same page code.',
      'The first frame waits for a key frame that is asked for when DTLS is up: up to 33 ms until the next picture, then encoding. Joins are 0.5 s apart or more, since Chromium sends no second key frame within 0.3 s.',
    ],
  };
}
