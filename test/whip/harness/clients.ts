import { readFileSync } from 'node:fs';
import type { Fixture } from '../../harness/fixture.ts';
import { type DocumentClientPage, openDocumentClient } from '../../harness/page.ts';
import { COLOURS, type Colour, succeeded, type Viewer } from '../../harness/viewing.ts';
import { aiortcPython } from './aiortc.ts';
import { OutsideClient } from './outside-client.ts';

/** The one that Debian's packages of Python modules are for. */
const DEBIAN_PYTHON = '/usr/bin/python3';
const FETCH_SESSION = readFileSync(new URL('./fetch-session.js', import.meta.url), 'utf8');

export const CLIENTS = [
  'chromium by WHIP',
  'firefox by WHIP',
  'GStreamer',
  'aiortc',
  'chromium by wss',
] as const;
export type ClientName = (typeof CLIENTS)[number];

export interface RunningClient extends Viewer {
  /** Ends what it does as its protocol wants. */
  close(): Promise<unknown>;
}

export async function publishBy(
  name: ClientName,
  fixture: Fixture,
  stream: string,
  { colour, toneHz }: { readonly colour: Colour; readonly toneHz: number },
): Promise<RunningClient> {
  const rgb = COLOURS[colour].replace(/[^\d,]/g, '');
  const outside = outsideClient(name, fixture, 'publish', stream, [rgb, String(toneHz)]);
  if (outside !== undefined) return outside;
  const page = await openPage(name, fixture);
  succeeded(await page.publish(stream, { colour: COLOURS[colour], toneHz }));
  return page;
}

export async function playBy(name: ClientName, fixture: Fixture, stream: string): Promise<RunningClient> {
  const outside = outsideClient(name, fixture, 'play', stream);
  if (outside !== undefined) return outside;
  const page = await openPage(name, fixture);
  succeeded(await page.play(stream));
  return page;
}

/** A page whose `session` is WHIP and WHEP, or a WebSocket. */
export async function openPage(
  name: ClientName,
  fixture: Fixture,
  origin = fixture.server.httpUrl,
): Promise<DocumentClientPage> {
  const browser = name.startsWith('firefox') ? 'firefox' : 'chromium';
  if (name === 'chromium by wss') return fixture.open(browser);
  const client = await openDocumentClient(await fixture.browser(browser), origin);
  await client.page.evaluate(
    `${FETCH_SESSION}; globalThis.session = fetchSession(${JSON.stringify(fixture.server.httpUrl)});`,
  );
  return client;
}

function outsideClient(
  name: ClientName,
  { server }: Fixture,
  role: 'publish' | 'play',
  stream: string,
  more: readonly string[] = [],
): OutsideClient | undefined {
  const protocol = role === 'publish' ? 'whip' : 'whep';
  const args = [role, `${server.httpUrl}/${protocol}/${encodeURIComponent(stream)}`, ...more];
  if (name === 'GStreamer') return new OutsideClient(DEBIAN_PYTHON, 'gstreamer-client.py', args);
  if (name === 'aiortc') return new OutsideClient(aiortcPython(), 'aiortc-client.py', args);
  return undefined;
}
