import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import puppeteer, { type Browser, type Page as BrowserPage } from 'puppeteer-core';
import type { Page, VariantEntry } from './variants.ts';

export type BrowserName = 'chromium' | 'firefox';

/** Where Debian puts them; `CHROMIUM` and `FIREFOX` say otherwise. */
const EXECUTABLES: Readonly<Record<BrowserName, string>> = {
  chromium: process.env.CHROMIUM ?? '/usr/bin/chromium',
  firefox: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
};

export function executableOf(name: BrowserName): string {
  return EXECUTABLES[name];
}

/** A browser with made-up devices that asks no questions. */
export function launch(name: BrowserName): Promise<Browser> {
  if (name === 'chromium') {
    return puppeteer.launch({
      browser: 'chrome',
      executablePath: EXECUTABLES.chromium,
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        '--disable-features=WebRtcHideLocalIpsWithMdns',
      ],
    });
  }
  return puppeteer.launch({
    browser: 'firefox',
    executablePath: EXECUTABLES.firefox,
    headless: true,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
    },
  });
}

/** An empty page on localhost, which is a secure context: only there are devices given out. */
export async function openPage(browser: Browser): Promise<{ page: BrowserPage; close: () => Promise<void> }> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>offers</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const page = await browser.newPage();
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  return {
    page,
    close: async () => {
      await page.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What became of an offer; `transceivers` only where it was answered. */
export type Outcome =
  | { readonly offer: string; readonly transceivers: readonly NegotiatedTransceiver[] }
  | { readonly impossible: string }
  | { readonly refused: string; readonly offer: string };

export interface NegotiatedTransceiver {
  readonly mid: string | null;
  readonly direction: string | null;
  readonly encodings: number;
}

/**
 * Runs a variant in a page and gives what the browser offers in the end, or why it cannot offer it.
 *
 * @param answer - answers the offers before the last; without it a second connection in the page does.
 *   With it the last offer is answered as well, and whether the browser took that answer is given back.
 */
export async function runVariant(
  page: BrowserPage,
  { run, configuration }: VariantEntry,
  answer?: (offer: string) => Promise<string>,
): Promise<Outcome> {
  if (answer) await page.exposeFunction('answerOffer', answer);
  try {
    return await page.evaluate(offerInPage, run.toString(), configuration ?? {}, answer !== undefined);
  } finally {
    if (answer) await page.removeExposedFunction('answerOffer');
  }
}

/** Runs in the page, so it refers to nothing outside itself. */
async function offerInPage(
  source: string,
  configuration: RTCConfiguration,
  answered: boolean,
): Promise<Outcome> {
  const { answerOffer } = window as unknown as { answerOffer: (offer: string) => Promise<string> };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const [audio] = stream.getAudioTracks();
  const [video] = stream.getVideoTracks();
  if (!audio || !video) return { impossible: 'no devices' };
  const pc = new RTCPeerConnection(configuration);
  const other = new RTCPeerConnection();
  const sdp = () => pc.localDescription?.sdp ?? '';
  const negotiate = async () => {
    await pc.setLocalDescription();
    if (answered) {
      await pc.setRemoteDescription({ type: 'answer', sdp: await answerOffer(sdp()) });
      return;
    }
    await other.setRemoteDescription({ type: 'offer', sdp: sdp() });
    await other.setLocalDescription();
    await pc.setRemoteDescription({ type: 'answer', sdp: other.localDescription?.sdp ?? '' });
  };
  const prefer = (transceiver: RTCRtpTransceiver, names: string[], only = false) => {
    const kind = transceiver.receiver.track.kind;
    const all = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
    const named = names.flatMap((name) =>
      all.filter(({ mimeType }) => mimeType.toLowerCase() === `${kind}/${name}`.toLowerCase()),
    );
    if (named.length === 0) throw new Error(`no ${names.join(', ')}`);
    const rest = all.filter((codec) => !named.includes(codec));
    transceiver.setCodecPreferences([
      ...named,
      ...(only ? rest.filter(({ mimeType }) => /\/rtx$/i.test(mimeType)) : rest),
    ]);
  };
  try {
    const run = new Function(`return (${source})`)() as (page: Page) => unknown;
    try {
      await run({ pc, stream, audio, video, negotiate, prefer });
      await pc.setLocalDescription();
    } catch (error) {
      return { impossible: String(error) };
    }
    const offer = sdp();
    if (!answered) return { offer, transceivers: [] };
    try {
      await pc.setRemoteDescription({ type: 'answer', sdp: await answerOffer(offer) });
      const transceivers = pc.getTransceivers().map(({ mid, currentDirection, sender }) => ({
        mid,
        direction: currentDirection,
        encodings: sender.getParameters().encodings.length,
      }));
      return { offer, transceivers };
    } catch (error) {
      return { refused: String(error), offer };
    }
  } finally {
    pc.close();
    other.close();
    for (const track of stream.getTracks()) track.stop();
  }
}
