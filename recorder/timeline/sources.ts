import type { Kind } from '../../core/channel/media.ts';
import type { SourceTrack } from '../source-event.ts';

/** A track as the receiver has it now. */
export interface Source extends Omit<SourceTrack, 'muted'> {
  muted: boolean;
}

/** Two generations of two kinds, and some that come and go. */
const MAX_SOURCES = 16;

/** Tracks that have begun and not ended. Of two of a kind the one that began later is the newer generation's. */
export class Sources {
  readonly #byTrack = new Map<number, Source>();

  begin(track: SourceTrack): Source {
    const source = { ...track };
    this.#byTrack.set(track.track, source);
    for (const oldest of this.#byTrack.keys()) {
      if (this.#byTrack.size <= MAX_SOURCES) break;
      this.#byTrack.delete(oldest);
    }
    return source;
  }

  clear(): void {
    this.#byTrack.clear();
  }

  find(track: number): Source | undefined {
    return this.#byTrack.get(track);
  }

  end(track: number): Source | undefined {
    const source = this.#byTrack.get(track);
    this.#byTrack.delete(track);
    return source;
  }

  bySsrc(ssrc: number): Source | undefined {
    for (const source of this.#byTrack.values()) if (source.ssrcs.includes(ssrc)) return source;
    return undefined;
  }

  has(kind: Kind): boolean {
    return this.#some((source) => source.kind === kind);
  }

  hasUnmuted(kind: Kind): boolean {
    return this.#some((source) => source.kind === kind && !source.muted);
  }

  #some(test: (source: Source) => boolean): boolean {
    for (const source of this.#byTrack.values()) if (test(source)) return true;
    return false;
  }
}
