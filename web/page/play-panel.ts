import { type Ended, type MillraceClient, MillraceError, type Playback } from '@millrace/client';
import { announce } from './announcer.ts';
import { byId } from './element.ts';
import { FiguresLine } from './figures.ts';
import { MuteButton } from './mute-button.ts';
import { problemOf, showEnd, showProblem } from './problem.ts';
import { text } from './text/text.ts';

/** How long one request waits for a stream; then the next one does, until the user stops. */
const WAIT_MS = 30_000;
/** How the server says "not yet" when a wait is over. */
const NOT_YET = ['stream_not_found', 'no_reply', 'timed_out'];

/** The right half of the page: play one stream at a time, wait for it, mute, stop. */
export class PlayPanel {
  readonly #client: () => MillraceClient;
  readonly #name = byId('play-name', HTMLInputElement);
  readonly #controls = byId('play-controls', HTMLDivElement);
  readonly #alert = byId('play-alert', HTMLDivElement);
  readonly #screen = byId('play-screen', HTMLDivElement);
  readonly #video = byId('play-video', HTMLVideoElement);
  readonly #badge = byId('play-badge', HTMLParagraphElement);
  readonly #waiting = byId('play-waiting', HTMLParagraphElement);
  readonly #sound = byId('play-sound', HTMLButtonElement);
  readonly #figures = new FiguresLine(byId('play-figures', HTMLParagraphElement));
  readonly #muteAudio = new MuteButton(byId('play-mute-audio', HTMLButtonElement), (audio) =>
    this.#mute({ audio }),
  );
  readonly #muteVideo = new MuteButton(byId('play-mute-video', HTMLButtonElement), (video) =>
    this.#mute({ video }),
  );
  /** Ends the play before this one, also while it waits. */
  #abort: AbortController | null = null;
  #playback: Playback | null = null;

  constructor(client: () => MillraceClient) {
    this.#client = client;
    byId('play-form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      void this.play(this.#name.value.trim());
    });
    byId('play-stop', HTMLButtonElement).addEventListener('click', () => void this.#stop());
    byId('play-full', HTMLButtonElement).addEventListener('click', () => void this.#fullScreen());
    this.#sound.addEventListener('click', () => {
      this.#video.muted = false;
      void this.#startElement();
    });
    this.#video.addEventListener('playing', () => this.#wait(null));
  }

  async play(name: string): Promise<void> {
    const stopped = this.#stop();
    // At once: whoever chooses again before the last one has stopped wants this one no more.
    const abort = new AbortController();
    this.#abort = abort;
    await stopped;
    if (abort.signal.aborted) return;
    this.#name.value = name;
    showProblem(this.#alert, null);
    this.#controls.hidden = false;
    this.#showMuteButtons(false);
    this.#wait(text('playConnecting', { name }));
    try {
      const playback = await this.#waitFor(name, abort.signal);
      if (abort.signal.aborted) await playback.close();
      else this.#show(playback);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#clear();
      showProblem(this.#alert, problemOf(error));
    }
  }

  /** Plays now, or as soon as the stream is there. */
  async #waitFor(name: string, signal: AbortSignal): Promise<Playback> {
    try {
      return await this.#client().play(name, { signal });
    } catch (error) {
      if (!isNotYet(error) || signal.aborted) throw error;
    }
    this.#wait(text('playWaiting', { name }));
    announce(text('playWaiting', { name }));
    for (;;) {
      try {
        return await this.#client().play(name, { waitMs: WAIT_MS, signal });
      } catch (error) {
        if (!isNotYet(error) || signal.aborted) throw error;
      }
    }
  }

  #show(playback: Playback): void {
    this.#playback = playback;
    const name = playback.stream;
    this.#badge.textContent = name;
    this.#badge.hidden = false;
    this.#screen.setAttribute('data-on', '');
    this.#muteAudio.muted = false;
    this.#muteVideo.muted = false;
    this.#showMuteButtons(true);
    this.#video.srcObject = playback.mediaStream;
    void this.#startElement();
    playback.on('reconnecting', () => this.#wait(text('interrupted', { name })));
    playback.on('resumed', () => this.#wait(null));
    playback.on('ended', (ended) => this.#over(playback, ended));
    this.#figures.start(() => playback.stats());
    announce(text('playing', { name }));
    if (playback.ended !== null) this.#over(playback, playback.ended);
  }

  /** Browsers play sound only after the user did something here: else the picture goes first, and a button asks. */
  async #startElement(): Promise<void> {
    try {
      await this.#video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return;
      this.#video.muted = true;
      await this.#video.play().catch(() => {});
    }
    this.#sound.hidden = !this.#video.muted;
  }

  #over(playback: Playback, ended: Ended): void {
    if (this.#playback !== playback) return;
    this.#clear();
    if (ended.error !== null) showProblem(this.#alert, problemOf(ended.error));
    else if (ended.reason !== 'closed') showEnd(this.#alert, text('error_play_ended'), ended.reason);
    announce(text('playStopped', { name: playback.stream }));
  }

  async #stop(): Promise<void> {
    const playback = this.#playback;
    this.#abort?.abort();
    this.#abort = null;
    this.#clear();
    await playback?.close();
  }

  #clear(): void {
    const hadFocus = this.#controls.contains(document.activeElement);
    this.#playback = null;
    this.#figures.stop();
    this.#wait(null);
    this.#video.srcObject = null;
    this.#video.muted = false;
    this.#sound.hidden = true;
    this.#badge.hidden = true;
    this.#controls.hidden = true;
    this.#screen.removeAttribute('data-on');
    if (hadFocus) this.#name.focus();
  }

  async #mute(state: { audio?: boolean; video?: boolean }): Promise<void> {
    try {
      await this.#playback?.mute(state);
    } catch (error) {
      showProblem(this.#alert, problemOf(error));
      throw error;
    }
  }

  async #fullScreen(): Promise<void> {
    await this.#screen.requestFullscreen?.().catch(() => {});
  }

  #wait(message: string | null): void {
    this.#waiting.hidden = message === null;
    byId('play-waiting-text', HTMLSpanElement).textContent = message ?? '';
    byId('play-empty', HTMLParagraphElement).hidden = message !== null;
  }

  #showMuteButtons(shown: boolean): void {
    for (const id of ['play-mute-audio', 'play-mute-video', 'play-full']) {
      byId(id, HTMLButtonElement).hidden = !shown;
    }
  }
}

function isNotYet(error: unknown): boolean {
  return error instanceof MillraceError && NOT_YET.includes(error.errorName);
}
