import { getStream, type PlayResource } from './api.ts';
import { make } from './element.ts';
import { formatBitrate, formatDuration, formatMs, formatRatio } from './format.ts';
import { languageTag, type TextKey, text } from './text/text.ts';

const COLUMNS: readonly TextKey[] = ['viewer', 'bitrate', 'layer', 'available', 'loss', 'roundTrip'];
const SHOWN = 50;

/** The viewers of one stream, asked for only while it is open. */
export class ViewerTable {
  readonly element = make('details', { class: 'viewers' });
  readonly #name: string;
  readonly #summary = make('summary');
  readonly #body = make('div', { class: 'viewers-scroll' });
  #asking = false;
  #plays: readonly PlayResource[] | null = null;

  constructor(name: string) {
    this.#name = name;
    this.element.append(this.#summary, this.#body);
    this.element.addEventListener('toggle', () => void this.#ask());
  }

  refresh(viewers: number): void {
    this.element.hidden = viewers === 0 && !this.element.open;
    void this.#ask();
  }

  translate(): void {
    this.#summary.textContent = text('viewers');
    this.#summary.setAttribute('aria-label', text('showViewers', { name: this.#name }));
    this.#show();
  }

  async #ask(): Promise<void> {
    if (!this.element.open || this.#asking) return;
    this.#asking = true;
    try {
      this.#plays = (await getStream(this.#name)).plays;
      this.#show();
    } catch {
      // The list above says when the server cannot be asked; these rows stay as they were until the next poll.
    } finally {
      this.#asking = false;
    }
  }

  #show(): void {
    if (this.#plays === null) return;
    if (this.#plays.length === 0) {
      this.#body.replaceChildren(make('p', { class: 'summary' }, text('noViewers')));
      return;
    }
    const head = make('tr', {}, ...COLUMNS.map((key) => make('th', { scope: 'col' }, text(key))));
    const rows = this.#plays
      .slice(0, SHOWN)
      .map((play) => make('tr', {}, ...cells(play).map((cell) => make('td', {}, cell))));
    this.#body.replaceChildren(make('table', {}, make('thead', {}, head), make('tbody', {}, ...rows)));
  }
}

function cells(play: PlayResource): string[] {
  const tag = languageTag();
  const { bitrate_bps, spatial_layer, available_bitrate_bps, loss_ratio, round_trip_ms } = play;
  const orNone = (value: number | null, format: (value: number) => string): string =>
    value === null ? text('none') : format(value);
  return [
    `${play.session.slice(0, 8)} · ${formatDuration(Date.now() - Date.parse(play.since))}`,
    formatBitrate(bitrate_bps, tag),
    orNone(spatial_layer, String),
    orNone(available_bitrate_bps, (value) => formatBitrate(value, tag)),
    formatRatio(loss_ratio, tag),
    orNone(round_trip_ms, (value) => formatMs(value, tag)),
  ];
}
