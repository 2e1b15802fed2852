import { after } from 'node:test';
import type { Browser } from 'puppeteer-core';
import { type BrowserName, launchBrowser } from './browser.ts';
import { type DocumentClientPage, openDocumentClient } from './page.ts';
import { type ServerProcess, startServer } from './server.ts';

/** A server and browsers for one test file; all are ended when its tests are done. */
export class Fixture {
  readonly server: ServerProcess;
  readonly #browsers = new Map<BrowserName, Promise<Browser>>();

  private constructor(server: ServerProcess) {
    this.server = server;
  }

  /** Call at the top of a test file. */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<Fixture> {
    const fixture = new Fixture(await startServer(settings));
    after(() => fixture.#close());
    return fixture;
  }

  browser(name: BrowserName): Promise<Browser> {
    const running = this.#browsers.get(name) ?? launchBrowser(name);
    this.#browsers.set(name, running);
    return running;
  }

  /** A page with a session of its own; `query` is the WebSocket's, e.g. `?events=1`. */
  async open(name: BrowserName, query = ''): Promise<DocumentClientPage> {
    const client = await openDocumentClient(await this.browser(name), this.server.httpUrl);
    await client.connect(`${this.server.wsUrl}/${query}`);
    return client;
  }

  /** What congestion control believes this session's viewer can be sent. */
  async availableBitrateBps(stream: string): Promise<number> {
    const reply = await fetch(`${this.server.httpUrl}/api/v1/streams/${encodeURIComponent(stream)}`);
    const { plays } = (await reply.json()) as {
      plays: { available_bitrate_bps: number | null; session: string }[];
    };
    return Math.max(...plays.map((play) => play.available_bitrate_bps ?? 0));
  }

  async #close(): Promise<void> {
    for (const browser of this.#browsers.values()) await (await browser).close();
    await this.server.stop();
  }
}
