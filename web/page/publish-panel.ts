import type { Ended, MillraceClient, Publication } from '@millrace/client';
import { announce } from './announcer.ts';
import { byId } from './element.ts';
import { FiguresLine } from './figures.ts';
import { MuteButton } from './mute-button.ts';
import { problemOf, showEnd, showProblem } from './problem.ts';
import { PublishOptionsForm } from './publish-options.ts';
import { playLink } from './share-link.ts';
import { openSource, type Source, type SourceName } from './source.ts';
import { randomStreamName } from './stream-name.ts';
import { text } from './text/text.ts';

/** What is shown while something is published, and given back when it is over. */
interface Live {
  readonly publication: Publication;
  readonly source: Source;
}

/** The left half of the page: choose a source and a name, publish, mute, stop. */
export class PublishPanel {
  readonly #client: () => MillraceClient;
  readonly #form = byId('publish-form', HTMLFormElement);
  readonly #name = byId('publish-name', HTMLInputElement);
  readonly #start = byId('publish-start', HTMLButtonElement);
  readonly #controls = byId('publish-controls', HTMLDivElement);
  readonly #alert = byId('publish-alert', HTMLDivElement);
  readonly #screen = byId('publish-screen', HTMLDivElement);
  readonly #video = byId('publish-video', HTMLVideoElement);
  readonly #badge = byId('publish-badge', HTMLParagraphElement);
  readonly #options = new PublishOptionsForm();
  readonly #figures = new FiguresLine(byId('publish-figures', HTMLParagraphElement));
  readonly #muteAudio = new MuteButton(byId('publish-mute-audio', HTMLButtonElement), (audio) =>
    this.#mute('audio', audio),
  );
  readonly #muteVideo = new MuteButton(byId('publish-mute-video', HTMLButtonElement), (video) =>
    this.#mute('video', video),
  );
  #live: Live | null = null;

  constructor(client: () => MillraceClient) {
    this.#client = client;
    this.#name.value = randomStreamName();
    byId('publish-random', HTMLButtonElement).addEventListener('click', () => {
      this.#name.value = randomStreamName();
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.start();
    });
    byId('publish-stop', HTMLButtonElement).addEventListener('click', () => void this.#stop());
    byId('publish-share', HTMLButtonElement).addEventListener('click', () => void this.#share());
  }

  /** Fills the form in from outside. */
  choose(name: string, source: string | null): void {
    this.#name.value = name;
    const input = this.#form.querySelector<HTMLInputElement>(
      `input[name="source"][value="${CSS.escape(source ?? 'pattern')}"]`,
    );
    if (input) input.checked = true;
  }

  async start(): Promise<void> {
    if (this.#start.disabled || this.#live !== null) return;
    showProblem(this.#alert, null);
    // A disabled button loses the focus.
    const hadFocus = this.#form.contains(document.activeElement);
    this.#busy(true);
    const name = this.#name.value.trim();
    let source: Source | null = null;
    try {
      source = await openSource(this.#sourceName, name);
      this.#preview(source.stream);
      const publication = await this.#client().publish(name, source.stream, this.#options.options);
      this.#goLive({ publication, source });
    } catch (error) {
      source?.stop();
      this.#preview(null);
      showProblem(this.#alert, problemOf(error));
    } finally {
      this.#busy(false);
      if (hadFocus && document.activeElement === document.body) {
        (this.#live === null ? this.#start : byId('publish-stop', HTMLButtonElement)).focus();
      }
    }
  }

  get #sourceName(): SourceName {
    const value = new FormData(this.#form).get('source');
    return value === 'camera' || value === 'screen' ? value : 'pattern';
  }

  #goLive(live: Live): void {
    const { publication, source } = live;
    this.#live = live;
    const name = publication.stream;
    this.#muteAudio.muted = false;
    this.#muteVideo.muted = false;
    byId('publish-mute-audio', HTMLButtonElement).hidden = source.stream.getAudioTracks().length === 0;
    byId('publish-mute-video', HTMLButtonElement).hidden = source.stream.getVideoTracks().length === 0;
    this.#showFlow(false);
    publication.on('reconnecting', () => this.#showFlow(true));
    publication.on('resumed', () => this.#showFlow(false));
    publication.on('ended', (ended) => this.#over(live, ended));
    for (const track of source.stream.getTracks()) {
      // The user stopped sharing, or unplugged the camera: `ended` is not fired for our own stop().
      track.addEventListener('ended', () => {
        if (this.#live === live) void this.#sourceEnded(live);
      });
    }
    this.#figures.start(() => publication.stats());
    const hadFocus = this.#form.contains(document.activeElement);
    this.#form.hidden = true;
    this.#controls.hidden = false;
    if (hadFocus) byId('publish-stop', HTMLButtonElement).focus();
    announce(text('publishing', { name }));
    if (publication.ended !== null) this.#over(live, publication.ended);
  }

  #showFlow(interrupted: boolean): void {
    const name = this.#live?.publication.stream ?? '';
    this.#badge.textContent = text(interrupted ? 'interrupted' : 'liveAs', { name });
    this.#badge.classList.toggle('paused', interrupted);
    this.#badge.hidden = false;
  }

  #over(live: Live, ended: Ended): void {
    if (this.#live !== live) return;
    const name = live.publication.stream;
    const hadFocus = this.#controls.contains(document.activeElement);
    this.#live = null;
    live.source.stop();
    this.#figures.stop();
    this.#preview(null);
    this.#badge.hidden = true;
    this.#form.hidden = false;
    this.#controls.hidden = true;
    if (hadFocus) this.#start.focus();
    if (ended.error !== null) showProblem(this.#alert, problemOf(ended.error));
    else if (ended.reason !== 'closed') showEnd(this.#alert, text('error_publish_ended'), ended.reason);
    announce(text('publishStopped', { name }));
  }

  async #stop(): Promise<void> {
    await this.#live?.publication.close();
  }

  async #sourceEnded(live: Live): Promise<void> {
    await live.publication.close();
    showProblem(this.#alert, { name: 'source_ended', code: 0, detail: '' }, text('error_source_ended'));
  }

  async #mute(kind: 'audio' | 'video', muted: boolean): Promise<void> {
    if (this.#live === null) return;
    const { publication, source } = this.#live;
    try {
      await publication.mute({ [kind]: muted });
      // Muted here as well: what is off must not leave the machine.
      for (const track of source.stream.getTracks()) if (track.kind === kind) track.enabled = !muted;
    } catch (error) {
      showProblem(this.#alert, problemOf(error));
      throw error;
    }
  }

  async #share(): Promise<void> {
    const link = playLink(location.href, this.#live?.publication.stream ?? '');
    try {
      await navigator.clipboard.writeText(link);
      announce(text('linkCopied'));
      this.#flash(text('linkCopied'));
    } catch {
      // Browsers refuse the clipboard to insecure pages and unfocused ones: then the link is shown instead.
      this.#flash(text('linkNotCopied', { link }));
    }
  }

  #flash(message: string): void {
    const line = byId('publish-note', HTMLParagraphElement);
    line.textContent = message;
    line.hidden = false;
    setTimeout(() => {
      line.hidden = true;
    }, 8000);
  }

  #preview(stream: MediaStream | null): void {
    this.#video.srcObject = stream;
    this.#screen.toggleAttribute('data-on', stream !== null);
  }

  #busy(busy: boolean): void {
    this.#start.disabled = busy;
    this.#start.firstElementChild?.replaceChildren(text(busy ? 'starting' : 'startPublishing'));
  }
}
