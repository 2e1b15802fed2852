import { announce } from './announcer.ts';
import { endStream, LIST_LIMIT, listStreams, type StreamList } from './api.ts';
import { confirm } from './confirm.ts';
import { byId, make, setText } from './element.ts';
import { formatBitrate } from './format.ts';
import { Poll } from './poll.ts';
import { problemOf, refusalOf, showProblem } from './problem.ts';
import { type RowActions, StreamRow } from './stream-row.ts';
import { languageTag, onLanguage, text } from './text/text.ts';

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
  readonly #poll: Poll;

  /** @param actions what a row's buttons do, beside ending the stream */
  constructor(actions: Omit<RowActions, 'end'>) {
    this.#actions = { ...actions, end: (name) => void this.#end(name) };
    onLanguage(() => {
      for (const row of this.#rows.values()) row.translate();
      this.#showSummary();
    });
    this.#poll = new Poll({
      ask: async () => this.#show(await listStreams()),
      onOutcome: (error, failures) => this.#outcome(error, failures),
    });
  }

  #outcome(error: unknown, failures: number): boolean {
    if (failures === 0) {
      showProblem(this.#alert, null);
      return true;
    }
    const { code, name, detail } = problemOf(error);
    const refusal = refusalOf(code);
    this.#refusal = refusal === null ? null : refusal === 'token' ? 'listNeedsToken' : 'listNotAllowed';
    this.#showSummary();
    // One failure may be a hiccup; a message that comes and goes would only disturb.
    if (refusal === null && failures === 2)
      showProblem(this.#alert, { name: 'list', code, detail: `${name}: ${detail}` });
    return refusal === null;
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
    await this.#poll.now();
  }
}

function countStreams(count: number): string {
  return text(count === 1 ? 'streamsOne' : 'streamsMany', { count: count.toLocaleString(languageTag()) });
}

function countViewers(count: number): string {
  return text(count === 1 ? 'viewersOne' : 'viewersMany', { count: count.toLocaleString(languageTag()) });
}
