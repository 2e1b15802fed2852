import { type RecordingFile, type RecordingResource, recordingUrl } from './api.ts';
import { icon, make, setText } from './element.ts';
import { Figure } from './figure.ts';
import { formatBytes, formatDuration, formatMs } from './format.ts';
import { languageTag, text } from './text/text.ts';

/** One recording in the list, updated in place: while it runs its figures, then its films. */
export class RecordingRow {
  readonly element: HTMLLIElement;
  readonly #id: string;
  readonly #sub = make('div', { class: 'stream-sub' });
  readonly #length = new Figure('recordedLength');
  readonly #size = new Figure('recordedSize');
  readonly #gaps = new Figure('recordedGaps');
  readonly #lag = new Figure('durableLag');
  readonly #stopButton = make('button', { class: 'button small danger', type: 'button' });
  readonly #films = make('div', { class: 'films' });
  #latest: RecordingResource;
  #stopping = false;

  constructor(recording: RecordingResource, stop: (id: string) => Promise<void>) {
    this.#id = recording.id;
    this.#latest = recording;
    this.#stopButton.addEventListener('click', () => {
      this.#stopping = true;
      this.#show();
      void stop(this.#id).finally(() => {
        this.#stopping = false;
        this.#show();
      });
    });
    this.element = make(
      'li',
      { class: 'stream recording' },
      make(
        'div',
        { class: 'stream-main' },
        make(
          'div',
          { class: 'stream-title' },
          make('h3', { class: 'stream-name' }, recording.fileName),
          this.#sub,
        ),
        this.#length.element,
        this.#size.element,
        this.#gaps.element,
        this.#lag.element,
        make('div', { class: 'stream-actions' }, this.#stopButton),
      ),
      this.#films,
    );
    this.translate();
  }

  update(recording: RecordingResource): void {
    this.#latest = recording;
    this.#show();
  }

  translate(): void {
    for (const figure of [this.#length, this.#size, this.#gaps, this.#lag]) figure.translate();
    this.#stopButton.replaceChildren(icon('stop'), text('stop'));
    this.#stopButton.setAttribute('aria-label', text('stopRecording', { name: this.#latest.fileName }));
    this.#films.replaceChildren();
    this.#show();
  }

  #show(): void {
    const { state, stream, message, gaps, bytes, files } = this.#latest;
    const { duration_ms: lengthMs, durable_ms: durableMs } = this.#latest;
    const tag = languageTag();
    const running = state === 'starting' || state === 'recording';
    const shownState = this.#stopping && running ? 'finishing' : state;
    this.#sub.replaceChildren(
      make('span', { class: `tag${state === 'failed' ? ' warn' : ''}` }, text(`recording_${shownState}`)),
      text('recordingOf', { name: stream }),
      ...(message === undefined ? [] : [make('span', { class: 'tag warn' }, message)]),
    );
    this.#length.value = formatDuration(lengthMs);
    this.#size.value = formatBytes(bytes, tag);
    const length = formatMs(gaps.total_ms, tag);
    this.#gaps.value = gaps.count === 0 ? text('gapsNone') : text('gapsSome', { count: gaps.count, length });
    this.#lag.element.hidden = !running;
    this.#lag.value = formatMs(Math.max(0, lengthMs - durableMs), tag);
    this.#stopButton.hidden = !running;
    this.#stopButton.disabled = this.#stopping;
    // Finished files never change: what plays goes on playing.
    for (const file of files.slice(this.#films.childElementCount)) this.#films.append(film(file));
    setText(
      this.element.querySelector('.stream-name') ?? this.element,
      files[0]?.fileName ?? this.#latest.fileName,
    );
  }
}

/** Loads nothing until it is opened. */
function film(file: RecordingFile): HTMLElement {
  const name = file.fileName.slice(file.fileName.lastIndexOf('/') + 1);
  const details = make('details', { class: 'film' }, make('summary', {}, text('watch', { name })));
  const url = recordingUrl(file);
  details.addEventListener('toggle', () => {
    if (!details.open) return details.querySelector('video')?.pause();
    if (details.querySelector('video') !== null) return;
    details.append(
      make('video', { controls: '', playsinline: '', preload: 'metadata', src: url }),
      make('a', { href: url, download: name }, text('download', { name })),
    );
  });
  return details;
}
