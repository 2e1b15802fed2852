import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser } from 'puppeteer-core';
import type { BrowserName } from '../harness/browser.ts';
import type { DocumentClientPage } from '../harness/page.ts';
import { openDocumentClient } from '../harness/page.ts';

const ROOT = join(import.meta.dirname, '../..');

/**
 * Evaluated in the page after the client: `@millrace/client` as `millrace`, and small helpers that keep what
 * happened where a test can read it.
 */
const HELPERS = `
globalThis.sockets = [];
/** A WebSocket that a test can cut, and keep from coming back. */
globalThis.CutSocket = class extends WebSocket {
  static blocked = false;
  constructor(url) {
    super(CutSocket.blocked ? 'ws://127.0.0.1:1/' : url);
    sockets.push(this);
  }
};
globalThis.cutSockets = () => { for (const socket of sockets.splice(0)) socket.close(3000); };
globalThis.open = (url) => {
  globalThis.client = new millrace.MillraceClient({ url, WebSocket: CutSocket });
  globalThis.log = [];
  client.on('state', (state) => log.push(state));
};
globalThis.startPublish = async (stream, options = {}) => {
  globalThis.source = documentClient.pattern(options.pattern);
  globalThis.publication = await client.publish(stream, source.stream, options.publish);
  for (const name of ['connected', 'reconnecting', 'resumed']) publication.on(name, () => log.push('publish ' + name));
  publication.on('ended', ({ reason }) => log.push('publish ended ' + reason));
};
globalThis.startPlay = async (stream, options = {}) => {
  globalThis.playback = await client.play(stream, options);
  for (const name of ['connected', 'moved', 'reconnecting', 'resumed']) playback.on(name, () => log.push('play ' + name));
  playback.on('ended', ({ reason }) => log.push('play ended ' + reason));
  globalThis.video = document.createElement('video');
  Object.assign(video, { autoplay: true, muted: true, playsInline: true, srcObject: playback.mediaStream });
  document.body.append(video);
  globalThis.frames = [];
  const onFrame = (now) => { frames.push(now); video.requestVideoFrameCallback(onFrame); };
  video.requestVideoFrameCallback(onFrame);
};
globalThis.look = () => {
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth || 1;
  canvas.height = video.videoHeight || 1;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0);
  return [...context.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data.slice(0, 3)];
};
globalThis.longestPauseMs = (since) => {
  const seen = frames.filter((at) => at >= since);
  return Math.max(0, ...seen.slice(1).map((at, index) => at - seen[index]));
};
`;

let bundled: Promise<string> | undefined;

function clientScript(): Promise<string> {
  bundled ??= build({
    entryPoints: [join(ROOT, 'client/src/index.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'millrace',
    target: 'es2022',
    // A script that is evaluated puts its variables in a scope of its own.
    footer: { js: 'globalThis.millrace = millrace;' },
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? '');
  return bundled;
}

/** A server and browsers; a Fixture is one. */
export interface Place {
  readonly server: { readonly httpUrl: string; readonly wsUrl: string };
  browser(name: BrowserName): Promise<Browser>;
}

/** An empty page with the client in it, connected to the server. */
export async function openClient(place: Place, browser: BrowserName): Promise<DocumentClientPage> {
  const page = await openDocumentClient(await place.browser(browser), place.server.httpUrl);
  await page.page.evaluate(await clientScript());
  await page.page.evaluate(HELPERS);
  await page.page.evaluate(`open(${JSON.stringify(`${place.server.wsUrl}/ws`)})`);
  return page;
}
