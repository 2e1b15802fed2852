/**
 * Writes what the installed browsers offer into this folder: `node core/sdp/offers/capture.ts`. Candidates
 * get addresses of documentation, so that no file names the machine it was made on.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BrowserName, launch, openPage, runVariant } from './browser.ts';
import { VARIANTS } from './variants.ts';

const NAMES: readonly BrowserName[] = ['chromium', 'firefox'];

for (const name of NAMES) {
  const browser = await launch(name);
  try {
    console.log(await browser.version());
    for (const [variant, entry] of Object.entries(VARIANTS)) {
      const { page, close } = await openPage(browser);
      const result = await runVariant(page, entry);
      await close();
      if ('offer' in result) {
        writeFileSync(join(import.meta.dirname, `${name}-${variant}.sdp`), withoutAddresses(result.offer));
      } else {
        console.log(`${name} cannot offer ${variant}: ${result.impossible}`);
      }
    }
  } finally {
    await browser.close();
  }
}

function withoutAddresses(offer: string): string {
  return offer
    .replace(/^(a=candidate:\S+ \d+ \S+ \d+) \S+ /gm, '$1 192.0.2.1 ')
    .replace(/ raddr \S+ /g, ' raddr 192.0.2.1 ')
    .replace(/^c=IN IP[46] .*$/gm, (line) =>
      line.replace(/IP[46] \S+/, line.includes('0.0.0.0') ? 'IP4 0.0.0.0' : 'IP4 192.0.2.1'),
    )
    .replace(/^a=rtcp:(\d+) IN IP[46] \S+/gm, 'a=rtcp:$1 IN IP4 0.0.0.0');
}
