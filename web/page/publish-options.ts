import type { PublishOptions, VideoCodec } from '@millrace/client';
import { byId, make, setText } from './element.ts';
import { onLanguage, text } from './text/text.ts';

const CODECS: readonly VideoCodec[] = ['VP8', 'VP9', 'H264', 'AV1'];
const SIMULCAST_CODECS = ['', 'VP8', 'H264'];

/** The part of the publish form that is about encoding. */
export class PublishOptionsForm {
  readonly #codec = byId('publish-codec', HTMLSelectElement);
  readonly #bitrate = byId('publish-bitrate', HTMLInputElement);
  readonly #simulcast = byId('publish-simulcast', HTMLInputElement);

  constructor() {
    const capable = RTCRtpSender.getCapabilities?.('video')?.codecs ?? [];
    for (const codec of CODECS) {
      if (!capable.some(({ mimeType }) => mimeType.toLowerCase() === `video/${codec.toLowerCase()}`))
        continue;
      this.#codec.append(make('option', { value: codec }, codec));
    }
    this.#codec.addEventListener('change', () => this.#show());
    onLanguage(() => this.#show());
    this.#show();
  }

  get options(): PublishOptions {
    const codec = CODECS.find((candidate) => candidate === this.#codec.value);
    const kilobits = Number(this.#bitrate.value);
    const simulcast = this.#simulcast.checked && !this.#simulcast.disabled;
    return {
      simulcast,
      ...(kilobits > 0 ? { maxBitrateBps: kilobits * 1000 } : {}),
      // Left to the server, simulcast must not end at a codec that has none.
      ...(codec ? { codecs: [codec] } : simulcast ? { codecs: this.#simulcastCodecs() } : {}),
    };
  }

  set enabled(enabled: boolean) {
    this.#codec.disabled = !enabled;
    this.#bitrate.disabled = !enabled;
    this.#simulcast.disabled = !enabled || !SIMULCAST_CODECS.includes(this.#codec.value);
  }

  #simulcastCodecs(): VideoCodec[] {
    const offered = [...this.#codec.options].map(({ value }) => value);
    return (['VP8', 'H264'] as const).filter((codec) => offered.includes(codec));
  }

  #show(): void {
    const possible = SIMULCAST_CODECS.includes(this.#codec.value);
    this.#simulcast.disabled = !possible || this.#codec.disabled;
    setText(byId('simulcast-hint', HTMLElement), text(possible ? 'simulcastHint' : 'simulcastUnavailable'));
  }
}
