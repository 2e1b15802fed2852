interface Entry {
  readonly deliver: () => void;
  next?: Entry;
}

/**
 * Delivers one entry a microtask, in order, so that whoever awaits what an entry settles goes on before the
 * next one is delivered.
 */
export class Outbox {
  readonly #limit: number;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #size = 0;
  #scheduled = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @returns false when the outbox is full; the entry is not taken then */
  push(deliver: () => void): boolean {
    if (this.#size >= this.#limit) return false;
    const entry: Entry = { deliver };
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    this.#size++;
    this.#schedule();
    return true;
  }

  #schedule(): void {
    if (this.#scheduled || this.#first === undefined) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#deliverFirst());
  }

  #deliverFirst(): void {
    this.#scheduled = false;
    const entry = this.#first;
    if (entry === undefined) return;
    this.#first = entry.next;
    if (this.#first === undefined) this.#last = undefined;
    this.#size--;
    try {
      entry.deliver();
    } finally {
      this.#schedule();
    }
  }
}
