import { MillraceError, type StreamName } from '../core/protocol/index.ts';
import type { Registry } from '../core/registry/registry.ts';
import type { PlayWait, Session } from './session.ts';

/**
 * Waits until a stream can be played. Between `next` and the one after it, nothing is missed. Ends when its
 * session loses its client or closes the stream.
 */
export class StreamWait implements PlayWait {
  readonly stream: StreamName;
  readonly #session: Session;
  readonly #unwatch: () => void;
  readonly #deadline: NodeJS.Timeout;
  #playable = false;
  #over: 'late' | 'ended' | undefined;
  #wake: (() => void) | undefined;

  constructor(registry: Registry, session: Session, stream: StreamName, timeoutMs: number) {
    this.stream = stream;
    this.#session = session;
    this.#unwatch = registry.watchStream(stream, (change) => {
      if (change.type === 'released' || change.stream.tracks.length === 0) return;
      this.#playable = true;
      this.#wake?.();
    });
    this.#deadline = setTimeout(() => this.#finish('late'), timeoutMs);
    session.addWait(this);
  }

  /**
   * Resolves when the stream became playable since this was last asked; false when it was waited long enough.
   * @throws MillraceError `stream_not_found` when the wait was ended
   */
  async next(): Promise<boolean> {
    if (!this.#playable && this.#over === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.demandGoingOn();
    const playable = this.#playable;
    this.#playable = false;
    return playable;
  }

  /** @throws MillraceError `stream_not_found` when the wait was ended */
  demandGoingOn(): void {
    if (this.#over !== 'ended') return;
    throw new MillraceError('stream_not_found', `waiting for "${this.stream}" was ended; play it again`);
  }

  end(): void {
    this.#finish('ended');
  }

  /** Whoever made it lets go of it, in any case. */
  release(): void {
    this.#unwatch();
    clearTimeout(this.#deadline);
    this.#session.removeWait(this);
  }

  #finish(how: 'late' | 'ended'): void {
    this.#over ??= how;
    this.#wake?.();
  }
}
