/** A reply that is due: its place in the order, and its text once it is known. */
export interface ReplySlot {
  readonly ordered: boolean;
  text?: string;
}

/**
 * The order in which a connection's replies leave: those to requests without `id` strictly as they were
 * asked for, those with `id` as soon as they are known. Its length is bounded by whoever opens slots.
 */
export class ReplyOrder {
  readonly #due: ReplySlot[] = [];

  open(ordered: boolean): ReplySlot {
    const slot: ReplySlot = { ordered };
    if (ordered) this.#due.push(slot);
    return slot;
  }

  /** @returns the replies that may leave now, in order */
  settle(slot: ReplySlot, text: string): readonly string[] {
    if (!slot.ordered) return [text];
    slot.text = text;
    const ready: string[] = [];
    for (const due of this.#due) {
      if (due.text === undefined) break;
      ready.push(due.text);
    }
    this.#due.splice(0, ready.length);
    return ready;
  }
}
