import type { StreamResource } from './api.ts';
import { icon, make } from './element.ts';
import { Figure } from './figure.ts';
import { formatBitrate, formatDuration, formatMs, formatRatio, formatShortBitrate } from './format.ts';
import { SAMPLES, Sparkline } from './sparkline.ts';
import { languageTag, type TextKey, text } from './text/text.ts';
import { ViewerTable } from './viewer-table.ts';

export interface RowActions {
  play(name: string): void;
  record(name: string): void;
  end(name: string): void;
}

interface Sample {
  readonly layers: readonly number[];
  readonly lossRatio: number;
  readonly roundTripMs: number | null;
}

/** One live stream in the list. It is updated in place, so that focus and opened details stay. */
export class StreamRow {
  readonly element: HTMLLIElement;
  readonly #name: string;
  readonly #sub = make('div', { class: 'stream-sub' });
  readonly #viewersFigure = new Figure('viewers');
  readonly #bitrate = new Figure('bitrate', new Sparkline('rate', 100_000));
  readonly #loss = new Figure('loss', new Sparkline('loss', 0.05));
  readonly #roundTrip = new Figure('roundTrip', new Sparkline('trip', 20));
  readonly #layers = make('div', { class: 'layers' });
  readonly #playButton = make('button', { class: 'button small', type: 'button' });
  readonly #recordButton = make('button', { class: 'button small', type: 'button' });
  readonly #endButton = make('button', { class: 'button small danger', type: 'button' });
  readonly #viewerTable: ViewerTable;
  readonly #samples: Sample[] = [];
  #latest: StreamResource;

  constructor(stream: StreamResource, actions: RowActions) {
    this.#name = stream.name;
    this.#latest = stream;
    this.#viewerTable = new ViewerTable(stream.name);
    this.#playButton.addEventListener('click', () => actions.play(this.#name));
    this.#recordButton.addEventListener('click', () => actions.record(this.#name));
    this.#endButton.addEventListener('click', () => actions.end(this.#name));
    this.#bitrate.element.append(this.#layers);
    this.#viewersFigure.element.classList.add('stream-viewers');
    this.element = make(
      'li',
      { class: 'stream' },
      make(
        'div',
        { class: 'stream-main' },
        make('div', { class: 'stream-title' }, make('h3', { class: 'stream-name' }, stream.name), this.#sub),
        this.#viewersFigure.element,
        this.#bitrate.element,
        this.#loss.element,
        this.#roundTrip.element,
        make('div', { class: 'stream-actions' }, this.#playButton, this.#recordButton, this.#endButton),
      ),
      this.#viewerTable.element,
    );
    this.translate();
  }

  get viewers(): number {
    return this.#latest.viewers;
  }

  update(stream: StreamResource): void {
    this.#latest = stream;
    const layers = stream.layers.map(({ bitrate_bps }) => bitrate_bps);
    const video = layers.reduce((total, layer) => total + layer, 0);
    this.#samples.push({
      // What is no video layer (sound, retransmissions) is the lowest band.
      layers: layers.length > 1 ? [Math.max(0, stream.bitrate_bps - video), ...layers] : [stream.bitrate_bps],
      lossRatio: stream.loss_ratio,
      roundTripMs: stream.round_trip_ms,
    });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    this.#show();
    this.#viewerTable.refresh(stream.viewers);
  }

  translate(): void {
    const name = this.#name;
    this.#playButton.replaceChildren(icon('play'), text('playButton'));
    this.#playButton.setAttribute('aria-label', text('playStream', { name }));
    this.#recordButton.replaceChildren(icon('record'), text('record'));
    this.#recordButton.setAttribute('aria-label', text('recordStream', { name }));
    this.#endButton.replaceChildren(text('end'));
    this.#endButton.setAttribute('aria-label', text('endStream', { name }));
    for (const figure of [this.#viewersFigure, this.#bitrate, this.#loss, this.#roundTrip])
      figure.translate();
    this.#viewerTable.translate();
    this.#show();
  }

  #show(): void {
    const stream = this.#latest;
    const tag = languageTag();
    this.#showTags(stream);
    this.#viewersFigure.value = stream.viewers.toLocaleString(tag);
    this.#bitrate.value = formatBitrate(stream.bitrate_bps, tag);
    this.#loss.value = formatRatio(stream.loss_ratio, tag);
    this.#roundTrip.value =
      stream.round_trip_ms === null ? text('none') : formatMs(stream.round_trip_ms, tag);
    const depth = Math.max(0, ...this.#samples.map(({ layers }) => layers.length));
    const bands = Array.from({ length: depth }, (_, band) =>
      this.#samples.map(({ layers }) => layers[band] ?? 0),
    );
    this.#bitrate.sparkline?.drawStack(bands);
    this.#loss.sparkline?.drawLine(this.#samples.map(({ lossRatio }) => lossRatio));
    this.#roundTrip.sparkline?.drawLine(this.#samples.map(({ roundTripMs }) => roundTripMs));
    const layers = stream.layers.length > 1 ? stream.layers : [];
    this.#layers.replaceChildren(
      ...layers.map(({ rid, bitrate_bps }, index) =>
        make(
          'span',
          { class: `layer key-${index + 1}`, title: `${rid}: ${formatBitrate(bitrate_bps, tag)}` },
          formatShortBitrate(bitrate_bps, tag),
        ),
      ),
    );
  }

  #showTags(stream: StreamResource): void {
    const tracks = stream.tracks.toSorted((a, b) => b.kind.localeCompare(a.kind));
    const tags = tracks.map(({ codec, encodings }) =>
      text(encodings > 1 ? 'layersMany' : 'layersOne', { codec: codecName(codec), count: encodings }),
    );
    const warnings: TextKey[] = [];
    if (!stream.live) warnings.push('notLive');
    if (stream.muted.audio) warnings.push('audioMuted');
    if (stream.muted.video) warnings.push('videoMuted');
    this.#sub.replaceChildren(
      ...tags.map((tag) => make('span', { class: 'tag' }, tag)),
      ...warnings.map((key) => make('span', { class: 'tag warn' }, text(key))),
      text('since', { duration: formatDuration(Date.now() - Date.parse(stream.since)) }),
    );
  }
}

function codecName(codec: string): string {
  return codec === 'opus' ? 'Opus' : codec;
}
