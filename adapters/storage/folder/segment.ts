import { open } from 'node:fs/promises';

const MAX_FAILED = 100;

/** Where a part stands in a segment. */
export interface Slot {
  readonly offset: number;
  readonly bytes: number;
}

/**
 * A file that the parts of one upload are written into, one behind the other, by this process alone. When the
 * parts stand in it in their order, it is the object: nothing has to be copied to complete the upload. Another
 * process writes a segment of its own, so what it may still write, stopped for an hour and run on, is never in
 * the object that someone else has made.
 *
 * An upload that begins with part 2 has its part 1 written last: room is left for it, as long as that part.
 */
export class Segment {
  /** Below the upload's folder. */
  readonly name: string;
  readonly path: string;
  #end = 0;
  #roomForFirst: Slot | undefined;
  #began = false;
  /** Slots whose write failed, by the number of their part: to be taken again. */
  readonly #failed = new Map<number, Slot>();
  readonly #writes = new Set<Promise<void>>();
  #sealed = false;

  constructor(name: string, path: string) {
    this.name = name;
    this.path = path;
  }

  /** No more is written here. Parts that come meanwhile need another segment. */
  get sealed(): boolean {
    return this.#sealed;
  }

  /** Begins at once: what is sealed right behind it waits for it. */
  async write(number: number, body: Uint8Array): Promise<Slot> {
    if (this.#sealed) throw new Error(`${this.path} is sealed`);
    const slot = this.#slotFor(number, body.length);
    const writing = writeAt(this.path, body, slot.offset);
    const settled = writing.catch(() => {
      if (this.#failed.size < MAX_FAILED) this.#failed.set(number, slot);
    });
    this.#writes.add(settled);
    await settled.finally(() => this.#writes.delete(settled));
    await writing;
    return slot;
  }

  /** Waits for what is being written; the segment is at rest then, for good. */
  async seal(): Promise<void> {
    this.#sealed = true;
    await Promise.all(this.#writes);
  }

  #slotFor(number: number, bytes: number): Slot {
    const again = number === 1 ? this.#roomForFirst : this.#failed.get(number);
    if (number === 1) this.#roomForFirst = undefined;
    else this.#failed.delete(number);
    if (again?.bytes === bytes) return again;
    if (!this.#began && number === 2) {
      this.#roomForFirst = { offset: 0, bytes };
      this.#end = bytes;
    }
    this.#began = true;
    const slot = { offset: this.#end, bytes };
    this.#end += bytes;
    return slot;
  }
}

async function writeAt(path: string, body: Uint8Array, offset: number): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    for (let done = 0; done < body.length; ) {
      const { bytesWritten } = await handle.write(body, done, body.length - done, offset + done);
      done += bytesWritten;
    }
    await handle.datasync();
  } finally {
    await handle.close();
  }
}
