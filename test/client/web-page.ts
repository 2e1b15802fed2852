import type { Browser, Page } from 'puppeteer-core';
import { eventually } from '../harness/condition.ts';

/** The demo page as a user has it: found by ids and roles, with what went wrong on it. */
export class WebPage {
  readonly page: Page;
  /** Errors that the page threw, and those that the browser wrote about it. */
  readonly complaints: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) =>
      this.complaints.push(error instanceof Error ? error.message : String(error)),
    );
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
  }

  static async open(browser: Browser, address: string): Promise<WebPage> {
    const page = new WebPage(await browser.newPage());
    await page.page.setViewport({ width: 1280, height: 900 });
    await page.page.goto(address, { waitUntil: 'load' });
    return page;
  }

  click(id: string): Promise<void> {
    return this.page.locator(`#${id}`).click();
  }

  async type(id: string, value: string): Promise<void> {
    await this.page.locator(`#${id}`).fill(value);
  }

  text(selector: string): Promise<string> {
    return this.page.$eval(selector, (element) => element.textContent?.replace(/\s+/g, ' ').trim() ?? '');
  }

  /** Waits until the element is shown and its text fits. */
  async shows(selector: string, expected: RegExp, timeoutMs = 20_000): Promise<void> {
    await eventually(
      `${expected} in ${selector}`,
      async () => {
        const found = await this.page.$$eval(selector, (elements) =>
          elements
            .filter((element) => element.checkVisibility())
            .map((element) => element.textContent?.replace(/\s+/g, ' ').trim() ?? ''),
        );
        if (found.some((text) => expected.test(text))) return true;
        throw new Error(JSON.stringify(found));
      },
      { timeoutMs },
    );
  }

  /** Waits until the list of live streams has a name, or has it no more. */
  async lists(name: string, listed: boolean): Promise<void> {
    await eventually(`${name} ${listed ? 'in' : 'gone from'} the list`, async () => {
      const names = await this.page.$$eval('.stream-name', (titles) =>
        titles.map((title) => title.textContent),
      );
      return names.includes(name) === listed;
    });
  }

  /** Colour of a spot of the played picture, by parts of its width and height. */
  colourAt(x: number, y: number): Promise<[number, number, number]> {
    return this.page.$eval(
      '#play-video',
      (element, x, y) => {
        const video = element as HTMLVideoElement;
        const canvas = document.createElement('canvas');
        canvas.width = video.videoWidth || 1;
        canvas.height = video.videoHeight || 1;
        const context = canvas.getContext('2d');
        context?.drawImage(video, 0, 0);
        const [r = 0, g = 0, b = 0] =
          context?.getImageData(canvas.width * x, canvas.height * y, 1, 1).data ?? [];
        return [r, g, b] as [number, number, number];
      },
      x,
      y,
    );
  }

  /** Waits until the played pattern is right, and its picture changes. */
  async playsPattern(): Promise<void> {
    await this.page.bringToFront();
    const time = (): Promise<number> =>
      this.page.$eval('#play-video', (video) => (video as HTMLVideoElement).currentTime);
    await eventually(
      'the test pattern',
      async () => {
        const before = await time();
        // The red and the blue bar, outside the light band that passes now and then.
        const [red, blue] = [await this.colourAt(0.79, 0.3), await this.colourAt(0.93, 0.3)];
        const seen = JSON.stringify({ red, blue });
        if (!(red[0] > 150 && red[1] < 110 && blue[2] > 150 && blue[0] < 110)) throw new Error(seen);
        await new Promise((resolve) => setTimeout(resolve, 200));
        return (await time()) > before;
      },
      { timeoutMs: 40_000 },
    );
  }

  /** Waits until the pattern's tone is what the played stream sounds of. */
  async hearsTone(hertz: number): Promise<void> {
    await eventually(`a tone of ${hertz} Hz`, async () => {
      const heard = await this.page.$eval('#play-video', async (element) => {
        const stream = (element as HTMLVideoElement).srcObject as MediaStream;
        const audio = new AudioContext();
        const analyser = new AnalyserNode(audio, { fftSize: 8192 });
        audio.createMediaStreamSource(stream).connect(analyser);
        await audio.resume();
        await new Promise((resolve) => setTimeout(resolve, 500));
        const bins = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(bins);
        const peak = bins.indexOf(Math.max(...bins));
        const found = { hertz: (peak * audio.sampleRate) / analyser.fftSize, decibels: bins[peak] ?? -1000 };
        await audio.close();
        return found;
      });
      if (Math.abs(heard.hertz - hertz) < 15 && heard.decibels > -80) return true;
      throw new Error(JSON.stringify(heard));
    });
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
