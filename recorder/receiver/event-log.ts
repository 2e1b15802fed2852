import type { SourceEvent } from '../source-event.ts';
import { encodeSourceEvent } from '../source-stream.ts';

type TrackEvent = Extract<SourceEvent, { readonly type: 'track' }>;

interface Entry {
  readonly event: ControlEvent | undefined;
  readonly atMs: number;
  readonly frame: Uint8Array;
}

/** What is needed when an event is forgotten; packets are not kept twice. */
type ControlEvent = Extract<SourceEvent, { readonly type: 'track' | 'muted' | 'ended' }>;

/** What an entry takes beside its bytes, about. */
const ENTRY_BYTES = 160;
/** Forgotten entries are given back to memory in pieces of this many. */
const COMPACT_AT = 1024;

export interface EventLogOptions {
  readonly hello: Extract<SourceEvent, { readonly type: 'hello' }>;
  /** Above it the oldest events are forgotten, durable or not. */
  readonly maxBytes: number;
}

/**
 * The events that are not durable yet, framed for the muxer, and what one needs to know that begins with
 * them: the tracks that there were before. Events are numbered from 0; the forgotten keep their numbers.
 */
export class EventLog {
  readonly #hello: Uint8Array;
  readonly #maxBytes: number;
  /** Tracks as they stood before the first event that is kept. */
  readonly #tracks = new Map<number, TrackEvent>();
  #entries: Entry[] = [];
  /** Of the first event that is kept: its place in `#entries`, and its number. */
  #head = 0;
  #first = 0;
  #bytes = 0;

  constructor({ hello, maxBytes }: EventLogOptions) {
    this.#hello = encodeSourceEvent(hello);
    this.#maxBytes = maxBytes;
  }

  /** Number of the first event that is kept. */
  get first(): number {
    return this.#first;
  }

  /** Number of the event that comes next. */
  get next(): number {
    return this.#first + this.#entries.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(event: SourceEvent): void {
    const control = event.type === 'track' || event.type === 'muted' || event.type === 'ended';
    const entry = {
      event: control ? event : undefined,
      atMs: event.atMs,
      frame: encodeSourceEvent(event),
    };
    this.#entries.push(entry);
    this.#bytes += sizeOf(entry);
    while (this.#bytes > this.#maxBytes) this.#forgetFirst();
  }

  /** Events before `atMs` need not be kept. */
  durable(atMs: number): void {
    for (let first = this.#entries[this.#head]; first && first.atMs < atMs; first = this.#entries[this.#head])
      this.#forgetFirst();
  }

  /** What a muxer is told ahead of the first event that is kept. */
  preamble(): readonly Uint8Array[] {
    return [this.#hello, ...[...this.#tracks.values()].map(encodeSourceEvent)];
  }

  /** @param number from `first` on, below `next` */
  frame(number: number): Uint8Array {
    const entry = this.#entries[this.#head + number - this.#first];
    if (!entry || number < this.#first) throw new RangeError(`event ${number} is not kept`);
    return entry.frame;
  }

  #forgetFirst(): void {
    const entry = this.#entries[this.#head];
    if (!entry) return;
    this.#bytes -= sizeOf(entry);
    this.#first++;
    this.#head++;
    if (entry.event) this.#applyToTracks(entry.event);
    if (this.#head < COMPACT_AT) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }

  #applyToTracks(event: ControlEvent): void {
    switch (event.type) {
      case 'track':
        this.#tracks.set(event.track, event);
        return;
      case 'ended':
        this.#tracks.delete(event.track);
        return;
      case 'muted': {
        const track = this.#tracks.get(event.track);
        if (track) this.#tracks.set(event.track, { ...track, muted: event.muted });
        return;
      }
    }
  }
}

function sizeOf({ frame }: Entry): number {
  return frame.length + ENTRY_BYTES;
}
