import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'puppeteer-core';

const DOCUMENT_CLIENT = readFileSync(new URL('./document-client.js', import.meta.url), 'utf8');

/** What `perceive` of document-client.js tells. */
export interface Perception {
  readonly framesDecoded: number;
  readonly keyFramesDecoded: number;
  readonly width: number;
  readonly audioBytes: number;
  readonly videoBytes: number;
  readonly lost: number;
  readonly nacks: number;
  readonly retransmitted: number;
  readonly colour?: readonly [number, number, number];
  readonly toneHz?: number;
  readonly toneDb?: number;
  readonly connection: RTCPeerConnectionState;
  readonly dtls?: RTCDtlsTransportState;
}

/** A page of the server under test with document-client.js in it. */
export async function openDocumentClient(browser: Browser, httpUrl: string): Promise<DocumentClientPage> {
  const page = await browser.newPage();
  // An empty page of the server's origin, without the policy that the server's own pages have.
  await page.setRequestInterception(true);
  page.once(
    'request',
    (request) => void request.respond({ contentType: 'text/html', body: '<!doctype html>' }),
  );
  await page.goto(`${httpUrl}/empty`, { waitUntil: 'load' });
  await page.setRequestInterception(false);
  await page.evaluate(DOCUMENT_CLIENT);
  return new DocumentClientPage(page);
}

/** Runs documentClient's functions in the page; sessions, publications and plays are kept there by name. */
export class DocumentClientPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  async connect(url: string, name = 'session'): Promise<void> {
    await this.page.evaluate(
      `documentClient.connect(${json(url)}).then((s) => { globalThis[${json(name)}] = s; })`,
    );
  }

  request(method: string, stream: string, data: object, name = 'session'): Promise<ReplyMessage> {
    return this.run(`${name}.request(${json(method)}, ${json(stream)}, ${json(data)})`);
  }

  /** @returns the reply, or undefined when the browser lacks the codec */
  publish(
    stream: string,
    options: object = {},
    name = 'publication',
    session = 'session',
  ): Promise<ReplyMessage | undefined> {
    return this.run(
      `documentClient.publish(${session}, ${json(stream)}, ${json(options)}).then((p) => { globalThis.${name} = p; return p.reply; })`,
    );
  }

  play(stream: string, options: object = {}, name = 'playback', session = 'session'): Promise<ReplyMessage> {
    return this.run(
      `documentClient.play(${session}, ${json(stream)}, ${json(options)}).then((p) => { globalThis.${name} = p; return p.reply; })`,
    );
  }

  perceive(name = 'playback'): Promise<Perception> {
    return this.run(`documentClient.perceive(${name})`);
  }

  /** Evaluates an expression in the page; its value must be JSON. */
  async run<T>(expression: string): Promise<T> {
    const text = await this.page.evaluate(`(async () => JSON.stringify(await (${expression})))()`);
    return text === undefined ? (undefined as T) : (JSON.parse(text as string) as T);
  }

  close(): Promise<void> {
    return this.page.close();
  }
}

export interface ReplyMessage {
  readonly version: string;
  readonly err: number;
  readonly err_msg: string;
  readonly method: string;
  readonly stream: string;
  readonly session: string;
  readonly data: Readonly<Record<string, unknown>>;
}

function json(value: unknown): string {
  return JSON.stringify(value);
}
