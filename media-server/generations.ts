import type { SessionId } from '../core/protocol/session-id.ts';
import type { Publication } from './publication.ts';

/** The publications of one stream, oldest first, each with at most one deadline. */
export class Generations {
  readonly #all: Publication[] = [];
  readonly #deadlines = new Map<Publication, NodeJS.Timeout>();

  [Symbol.iterator](): Iterator<Publication> {
    return this.#all.values();
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  get newest(): Publication | undefined {
    return this.#all.at(-1);
  }

  /** What viewers join: the newest that is connected; while none is, the newest. */
  get carrier(): Publication | undefined {
    return this.#all.findLast(({ peer, retired }) => peer.state === 'connected' && !retired) ?? this.newest;
  }

  of(session: SessionId): readonly Publication[] {
    return this.#all.filter((publication) => publication.session === session);
  }

  olderThan(publication: Publication): readonly Publication[] {
    return this.#all.slice(0, Math.max(0, this.#all.indexOf(publication)));
  }

  add(publication: Publication): void {
    this.#all.push(publication);
  }

  /** @returns false when it was removed before */
  remove(publication: Publication): boolean {
    const index = this.#all.indexOf(publication);
    if (index < 0) return false;
    this.#all.splice(index, 1);
    this.stopDeadline(publication);
    return true;
  }

  /** Replaces the publication's deadline; it goes when the publication does. */
  setDeadline(publication: Publication, delayMs: number, onTime: () => void): void {
    this.stopDeadline(publication);
    this.#deadlines.set(publication, setTimeout(onTime, delayMs));
  }

  stopDeadline(publication: Publication): void {
    clearTimeout(this.#deadlines.get(publication));
    this.#deadlines.delete(publication);
  }
}
