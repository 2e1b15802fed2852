import puppeteer, { type Browser } from 'puppeteer-core';
import { soundServer } from './sound-server.ts';

export type BrowserName = 'chromium' | 'firefox';

/** A headless browser with fake devices and no permission prompts, which shows its interfaces' addresses to ICE. */
export async function launchBrowser(name: BrowserName): Promise<Browser> {
  if (name === 'chromium') {
    return puppeteer.launch({
      browser: 'chrome',
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      acceptInsecureCerts: true,
      protocolTimeout: 60_000,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--use-fake-device-for-media-stream',
        '--use-fake-ui-for-media-stream',
        '--autoplay-policy=no-user-gesture-required',
        // The harness answers for a page of its own, which then counts as one of no local network.
        '--disable-features=WebRtcHideLocalIpsWithMdns,CalculateNativeWinOcclusion,LocalNetworkAccessChecks',
        '--disable-background-timer-throttling',
        '--disable-backgrounding-occluded-windows',
        '--disable-renderer-backgrounding',
      ],
    });
  }
  return puppeteer.launch({
    browser: 'firefox',
    env: { ...process.env, PULSE_SERVER: await soundServer() },
    executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr',
    headless: true,
    acceptInsecureCerts: true,
    protocolTimeout: 60_000,
    extraPrefsFirefox: {
      'media.navigator.streams.fake': true,
      'media.navigator.permission.disabled': true,
      'media.peerconnection.ice.obfuscate_host_addresses': false,
      'media.autoplay.default': 0,
      'media.autoplay.blocking_policy': 0,
      'dom.min_background_timeout_value': 10,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
    },
  });
}
