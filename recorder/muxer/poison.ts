import { crc32 } from 'node:zlib';
import type { SourceEvent } from '../source-event.ts';
import type { FatalEvent } from '../supervisor-message.ts';

/** So many deaths of one event, and it is left out. */
const DEATHS = 2;
/** So many of any events, and what they died of may have come before: the packets up to the last are left out. */
const DEATHS_IN_ALL = 3;

/**
 * What to leave out of a receiver's events because muxers died of it: the receiver tells it to every new one, and
 * that would die of it too.
 */
export class Poison {
  readonly #fatal: readonly FatalEvent[];
  #receiver = '';

  constructor(fatal: readonly FatalEvent[]) {
    this.#fatal = fatal;
  }

  /** To be asked once of each event, in order. */
  isIn(event: SourceEvent): boolean {
    if (event.type === 'hello') this.#receiver = event.receiver;
    const last = this.#fatal.at(-1);
    if (last === undefined) return false;
    const isMedia = event.type === 'rtp' || event.type === 'rtcp';
    if (isMedia && this.#fatal.length >= DEATHS_IN_ALL && last.receiver === this.#receiver) {
      if (event.atMs <= last.atMs) return true;
    }
    const candidates = this.#fatal.filter(
      ({ receiver, atMs, kind }) => receiver === this.#receiver && atMs === event.atMs && kind === event.type,
    );
    if (candidates.length < DEATHS) return false;
    const crc = crcOf(event);
    return candidates.filter((one) => one.crc === crc).length >= DEATHS;
  }

  /** For the muxers that come after. */
  fatal(event: SourceEvent): FatalEvent {
    return { receiver: this.#receiver, atMs: event.atMs, kind: event.type, crc: crcOf(event) };
  }
}

function crcOf(event: SourceEvent): number {
  return crc32('packet' in event ? event.packet : JSON.stringify(event));
}
