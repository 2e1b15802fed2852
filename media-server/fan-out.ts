import type { NodeRef } from '../core/channel/pipes.ts';
import type { NodeId } from '../core/registry/record.ts';

/** From being given a place to the pull that takes it. */
const RESERVED_MS = 5000;

interface Child {
  readonly ref: NodeRef;
  pulls: number;
  /** Without a pull, the place is free again after this. */
  reservedUntilMs: number;
  /** How many others were sent to it. */
  referred: number;
}

/** The media servers that pull one stream from this one: at most so many, the others are referred to them. */
export class FanOut {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #children = new Map<NodeId, Child>();

  constructor(limit: number, now: () => number = Date.now) {
    this.#limit = limit;
    this.#now = now;
  }

  get nodes(): readonly NodeId[] {
    return [...this.#children.values()].flatMap(({ ref, pulls }) => (pulls > 0 ? [ref.node] : []));
  }

  /**
   * @param without children that do not count: their connection may take some seconds to be known as gone
   * @returns 'here' when it has a place here now; else the child that fewest were sent to
   */
  admit(by: NodeRef, without: readonly NodeId[] = []): 'here' | NodeRef {
    const nowMs = this.#now();
    for (const [node, { pulls, reservedUntilMs }] of this.#children) {
      if (pulls === 0 && reservedUntilMs <= nowMs) this.#children.delete(node);
    }
    const own = this.#children.get(by.node);
    const others = [...this.#children.values()].filter(({ ref }) => !without.includes(ref.node));
    if (own || others.length < this.#limit) {
      const child = own ?? { ref: by, pulls: 0, reservedUntilMs: 0, referred: 0 };
      child.reservedUntilMs = nowMs + RESERVED_MS;
      this.#children.set(by.node, child);
      return 'here';
    }
    let least: Child | undefined;
    for (const child of others) if (!least || child.referred < least.referred) least = child;
    if (!least) return 'here';
    least.referred++;
    return least.ref;
  }

  /** A pull of that media server begins. @returns what to call at its end */
  began(node: NodeId): () => void {
    const child = this.#children.get(node);
    if (!child) return () => {};
    child.pulls++;
    child.reservedUntilMs = 0;
    return () => {
      child.pulls--;
      if (child.pulls === 0 && child.reservedUntilMs <= this.#now() && this.#children.get(node) === child) {
        this.#children.delete(node);
      }
    };
  }
}
