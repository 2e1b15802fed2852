import { announce } from './announcer.ts';
import { listRecordings, type RecordingResource, startRecording, stopRecording } from './api.ts';
import { byId, setText } from './element.ts';
import { Poll } from './poll.ts';
import { problemOf, refusalOf, showProblem } from './problem.ts';
import { RecordingRow } from './recording-row.ts';
import { languageTag, onLanguage, type TextKey, text } from './text/text.ts';

/** Recordings that run and those of the last day, newest first. */
export class RecordingList {
  readonly #list = byId('recordings-list', HTMLUListElement);
  readonly #alert = byId('recordings-alert', HTMLDivElement);
  readonly #rows = new Map<string, RecordingRow>();
  readonly #poll: Poll;
  #latest: readonly RecordingResource[] | null = null;
  #refusal: TextKey | null = null;

  constructor() {
    onLanguage(() => {
      for (const row of this.#rows.values()) row.translate();
      this.#showSummary();
    });
    this.#poll = new Poll({
      ask: async () => this.#show((await listRecordings()).recordings),
      onOutcome: (error, failures) => this.#outcome(error, failures),
    });
  }

  /** Records a live stream under a name made of it and the time. */
  async start(stream: string): Promise<void> {
    announce(text('recordStarting', { name: stream }));
    await this.#change(async () => {
      const { fileName } = await startRecording(stream);
      announce(text('recordStarted', { name: fileName }));
    });
  }

  async #stop(id: string): Promise<void> {
    await this.#change(async () => {
      const { fileName } = await stopRecording(id);
      announce(text('recordStopped', { name: fileName }));
    });
  }

  async #change(action: () => Promise<void>): Promise<void> {
    showProblem(this.#alert, null);
    try {
      await action();
    } catch (error) {
      showProblem(this.#alert, problemOf(error));
    }
    await this.#poll.now();
  }

  #outcome(error: unknown, failures: number): boolean {
    if (failures === 0) {
      showProblem(this.#alert, null);
      return true;
    }
    const problem = problemOf(error);
    const refused = refusalOf(problem.code) !== null;
    // Where recording is off, the server says so with the setting that turns it on.
    const off = problem.name === 'storage_unavailable' && this.#latest === null;
    this.#refusal = refused ? 'recordingsNotAllowed' : off ? 'recordingsOff' : null;
    this.#showSummary();
    if (this.#refusal !== null) return !refused && !off;
    if (failures === 2) {
      const { code, name, detail } = problem;
      showProblem(this.#alert, { name: 'recordings', code, detail: `${name}: ${detail}` });
    }
    return true;
  }

  #show(recordings: readonly RecordingResource[]): void {
    this.#latest = recordings;
    this.#refusal = null;
    const ids = new Set(recordings.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    let before: Element | null = this.#list.firstElementChild;
    for (const recording of recordings) {
      const row = this.#rows.get(recording.id) ?? new RecordingRow(recording, (id) => this.#stop(id));
      this.#rows.set(recording.id, row);
      row.update(recording);
      // Moving an element would stop the film that plays in it.
      if (row.element === before) before = before.nextElementSibling;
      else this.#list.insertBefore(row.element, before);
    }
    this.#showSummary();
  }

  #showSummary(): void {
    const recordings = this.#latest ?? [];
    const running = recordings.filter(({ state }) => state !== 'completed' && state !== 'failed').length;
    const empty = byId('recordings-empty', HTMLParagraphElement);
    empty.hidden = recordings.length > 0 || (this.#latest === null && this.#refusal === null);
    setText(empty, text(this.#refusal ?? 'recordingsEmpty'));
    const summary = text('recordingsSummary', {
      running: running.toLocaleString(languageTag()),
      count: recordings.length.toLocaleString(languageTag()),
    });
    setText(byId('recordings-summary', HTMLParagraphElement), recordings.length === 0 ? '' : summary);
  }
}
