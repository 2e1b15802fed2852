import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { StreamChange } from '../../../core/registry/registry.ts';
import { readStream } from './stream-value.ts';

/** Changes that may come while what was there before them is being read. */
const MAX_HELD_BACK = 100;

/** A change as it is published: `<version>\nheld\n<stream>` or `<version>\nreleased\n<epoch>`. */
interface Message {
  readonly version: number;
  readonly type: 'held' | 'released';
  readonly rest: string;
}

/**
 * What one listener was told of a stream, and what it is to be told next. It is read how things are, once all
 * changes from then on are heard; changes that come meanwhile are held back and told after that, unless what
 * was read had them already: each change has a version, and reading gives the version of the newest.
 */
export class Watch {
  readonly name: StreamName;
  readonly #listener: (change: StreamChange) => void;
  #active = true;
  /** `due`: to be read. `reading`: being read. `true`: changes are told as they come. */
  #state: 'due' | 'reading' | 'live' = 'due';
  #version = 0;
  #heldBack: Message[] = [];
  /** The stream as the listener knows it; undefined = nobody holds it. */
  #told: string | undefined;
  /** The registry came back without the stream, and may yet be told of it. */
  #doubtful = false;

  constructor(name: StreamName, listener: (change: StreamChange) => void) {
    this.name = name;
    this.#listener = listener;
  }

  get isDue(): boolean {
    return this.#state === 'due';
  }

  /** Changes may have been missed. */
  renew(): void {
    this.#state = 'due';
    this.#heldBack = [];
  }

  /** Once the registry is complete again, it is looked at again. */
  renewIfDoubtful(): void {
    if (this.#doubtful) this.renew();
  }

  stop(): void {
    this.#active = false;
  }

  beginReading(): void {
    this.#state = 'reading';
  }

  /** @param complete false while the registry is being told what it lost */
  read(version: number, stream: string | undefined, complete: boolean): void {
    if (this.#state !== 'reading') return;
    this.#state = 'live';
    this.#version = version;
    this.#doubtful = stream === undefined && !complete;
    if (stream !== undefined) {
      if (stream !== this.#told) this.#tellHeld(stream);
    } else if (this.#told !== undefined && complete) {
      this.#tellReleased(Number(epochOf(this.#told)));
    }
    const heldBack = this.#heldBack;
    this.#heldBack = [];
    for (const message of heldBack) this.#take(message);
  }

  hear(text: string): void {
    const [, version, type, rest] = /^(\d+)\n(held|released)\n(.*)$/s.exec(text) ?? [];
    if (version === undefined || rest === undefined) return;
    const message = { version: Number(version), type: type === 'held' ? type : 'released', rest } as const;
    if (this.#state === 'live') this.#take(message);
    // What is read later has it.
    else if (this.#state === 'due') return;
    else if (this.#heldBack.length >= MAX_HELD_BACK) this.renew();
    else this.#heldBack.push(message);
  }

  #take({ version, type, rest }: Message): void {
    if (version <= this.#version) return;
    this.#version = version;
    this.#doubtful = false;
    if (type === 'held') this.#tellHeld(rest);
    else this.#tellReleased(Number(rest));
  }

  #tellHeld(text: string): void {
    this.#told = text;
    const stream = readStream(this.name, text);
    this.#tell({ type: stream.tracks.length === 0 ? 'claimed' : 'described', stream });
  }

  #tellReleased(epoch: number): void {
    this.#told = undefined;
    this.#tell({ type: 'released', name: this.name, epoch });
  }

  /** In a microtask of its own: a listener may call the registry, and one that fails harms no other. */
  #tell(change: StreamChange): void {
    queueMicrotask(() => {
      if (this.#active) this.#listener(change);
    });
  }
}

function epochOf(stream: string): string {
  return stream.slice(0, stream.indexOf('\n'));
}
