import { announce } from './announcer.ts';
import { endStream, LIST_LIMIT, listStreams, type StreamList } from './api.ts';
import { confirm } from './confirm.ts';
import { byId, make, setText } from './element.ts';
import { formatBitrate } from './format.ts';
import { problemOf, showProblem } from './problem.ts';
import { type RowActions, StreamRow } from './stream-row.ts';
import { languageTag, onLanguage, text } from './text/text.ts';

const POLL_MS = 2000;
const LONGEST_POLL_MS = 30_000;

const NOTHING: StreamList = { streams: [], next: null };

/** The list of live streams, asked for every two seconds while the page is looked at. */
export class LiveList {
  readonly #list = byId('live-list', HTMLUListElement);
  readonly #alert = byId('live-alert', HTMLDivElement);
  readonly #rows = new Map<string, StreamRow>();
  readonly #actions: RowActions;
  #latest: StreamList | null = null;
  /** Why the list is not for this visitor; asking again would change nothing. */
  #refusal: 'listNeedsToken' | 'listNotAllowed' | null = null;
  #failures = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking = false;

  constructor(play: (name: string) => void) {
    this.#actions = { play, end: (name) => void this.#end(name) };
    onLanguage(() => {
      for (const row of this.#rows.values()) row.translate();
      this.#showSummary();
    });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.refresh();
    });
    void this.refresh();
  }

  async refresh(): Promise<void> {
    if (this.#asking) return;
    clearTimeout(this.#timer);
    this.#asking = true;
    try {
      this.#show(await listStreams());
      if (this.#failures > 0) showProblem(this.#alert, null);
      this.#failures = 0;
    } catch (error) {
      const { code, name, detail } = problemOf(error);
      this.#refusal = refusalOf(code);
      this.#showSummary();
      if (this.#refusal !== null) return;
      this.#failures += 1;
      // One failure may be a hiccup; a message that comes and goes would only disturb.
      if (this.#failures === 2)
        showProblem(this.#alert, { name: 'list', code, detail: `${name}: ${detail}` });
    } finally {
      this.#asking = false;
      this.#schedule();
    }
  }

  #schedule(): void {
    if (document.visibilityState !== 'visible' || this.#refusal !== null) return;
    const delayMs = Math.min(LONGEST_POLL_MS, POLL_MS * 2 ** Math.max(0, this.#failures - 1));
    this.#timer = setTimeout(() => void this.refresh(), delayMs);
  }

  #show(list: StreamList): void {
    this.#latest = list;
    this.#refusal = null;
    const names = new Set(list.streams.map(({ name }) => name));
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.element.remove();
      this.#rows.delete(name);
    }
    let before: Element | null = this.#list.firstElementChild;
    for (const stream of list.streams) {
      const row = this.#rows.get(stream.name) ?? new StreamRow(stream, this.#actions);
      this.#rows.set(stream.name, row);
      row.update(stream);
      // Moving an element loses the focus within it, so those in their place are left alone.
      if (row.element === before) before = before.nextElementSibling;
      else this.#list.insertBefore(row.element, before);
    }
    this.#showSummary();
    this.#showNames(names);
  }

  #showNames(names: ReadonlySet<string>): void {
    const options = byId('live-names', HTMLDataListElement);
    const shown = [...options.options].map(({ value }) => value);
    if (shown.length === names.size && shown.every((name) => names.has(name))) return;
    options.replaceChildren(...[...names].map((value) => make('option', { value })));
  }

  #showSummary(): void {
    const { streams, next } = this.#latest ?? NOTHING;
    const empty = byId('live-empty', HTMLParagraphElement);
    empty.hidden = streams.length > 0 || (this.#latest === null && this.#refusal === null);
    setText(empty, text(this.#refusal ?? 'liveEmpty'));
    const total = (pick: (stream: StreamList['streams'][number]) => number): number =>
      streams.reduce((sum, stream) => sum + pick(stream), 0);
    const summary = text('summary', {
      streams: countStreams(streams.length),
      viewers: countViewers(total(({ viewers }) => viewers)),
      bitrate: formatBitrate(
        total(({ bitrate_bps }) => bitrate_bps),
        languageTag(),
      ),
    });
    const more = next === null ? '' : ` ${text('listMore', { count: LIST_LIMIT })}`;
    setText(byId('live-summary', HTMLParagraphElement), streams.length === 0 ? '' : summary + more);
  }

  async #end(name: string): Promise<void> {
    const viewers = countViewers(this.#rows.get(name)?.viewers ?? 0);
    const sure = await confirm(text('confirmTitle', { name }), text('confirmText', { viewers }), text('end'));
    if (!sure) return;
    try {
      await endStream(name);
      announce(text('endedDone', { name }));
      byId('live', HTMLElement).focus();
    } catch (error) {
      showProblem(this.#alert, problemOf(error));
    }
    await this.refresh();
  }
}

/** By the error table's HTTP status: the visitor shows no usable token, or one that does not reach this far. */
function refusalOf(code: number): 'listNeedsToken' | 'listNotAllowed' | null {
  const status = Math.floor(code / 100);
  if (status === 401) return 'listNeedsToken';
  return status === 403 ? 'listNotAllowed' : null;
}

function countStreams(count: number): string {
  return text(count === 1 ? 'streamsOne' : 'streamsMany', { count: count.toLocaleString(languageTag()) });
}

function countViewers(count: number): string {
  return text(count === 1 ? 'viewersOne' : 'viewersMany', { count: count.toLocaleString(languageTag()) });
}
