import type { MediaStats } from '@millrace/client';
import { formatBitrate, formatMs, formatRatio } from './format.ts';
import { languageTag, text } from './text/text.ts';

/** One line about what flows: `1280×720 · 30 fps · VP8 · 1.20 Mbit/s · 12 ms`. */
export function figuresLine(stats: MediaStats): string {
  const tag = languageTag();
  // Of a simulcast sender the largest picture is the one to name.
  const video = stats.encodings
    .filter(({ kind, width }) => kind === 'video' && width > 0)
    .reduce<MediaStats['encodings'][number] | null>(
      (best, each) => (best === null || each.width > best.width ? each : best),
      null,
    );
  const parts = [
    video && `${video.width}×${video.height}`,
    video && `${Math.round(video.framesPerSecond)} fps`,
    video?.codec,
    formatBitrate(stats.bitrateBps, tag),
    stats.roundTripMs === null ? '' : formatMs(stats.roundTripMs, tag),
    stats.lossRatio === null || stats.lossRatio === 0
      ? ''
      : `${text('loss')} ${formatRatio(stats.lossRatio, tag)}`,
  ];
  return parts.filter(Boolean).join(' · ');
}

/** Asks for figures once a second until stopped, and shows them. */
export class FiguresLine {
  readonly #element: HTMLElement;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(element: HTMLElement) {
    this.#element = element;
  }

  start(stats: () => Promise<MediaStats>): void {
    this.stop();
    const show = (): void => {
      stats().then(
        (sample) => {
          if (this.#timer === undefined) return;
          this.#element.textContent = figuresLine(sample);
          this.#element.hidden = false;
        },
        // No connection at this moment: old figures would be wrong ones.
        () => {
          this.#element.hidden = true;
        },
      );
    };
    this.#timer = setInterval(show, 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#element.hidden = true;
    this.#element.textContent = '';
  }
}
