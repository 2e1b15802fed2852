import type { StreamName } from '../core/protocol/index.ts';
import type { NodeId } from '../core/registry/record.ts';
import type { MediaLinks } from './media-links.ts';

/** What the stream's origin said holds this long; other signaling processes place viewers too. */
const FRESH_MS = 1000;
const ASK_TIMEOUT_MS = 500;
const MAX_STREAMS = 10_000;

interface Known {
  readonly nodes: Set<NodeId>;
  readonly untilMs: number;
}

/** Which media servers pull a stream, as its origin tells, and those that were chosen here since. */
export class EdgeDirectory {
  readonly #links: Pick<MediaLinks, 'call'>;
  readonly #now: () => number;
  readonly #known = new Map<StreamName, Known>();
  readonly #asking = new Map<StreamName, Promise<readonly NodeId[]>>();

  constructor(links: Pick<MediaLinks, 'call'>, now: () => number) {
    this.#links = links;
    this.#now = now;
  }

  /** What was known last, where the origin does not answer. Never throws. */
  async of(stream: StreamName, origin: NodeId): Promise<readonly NodeId[]> {
    const known = this.#known.get(stream);
    if (known && this.#now() < known.untilMs) return [...known.nodes];
    const asking = this.#asking.get(stream) ?? this.#ask(stream, origin);
    this.#asking.set(stream, asking);
    return asking;
  }

  /** A viewer was sent there, and with it the stream. */
  chosen(stream: StreamName, node: NodeId): void {
    const known = this.#known.get(stream);
    if (known) known.nodes.add(node);
  }

  async #ask(stream: StreamName, origin: NodeId): Promise<readonly NodeId[]> {
    const before = this.#known.get(stream)?.nodes;
    try {
      const { nodes } = await this.#links.call(origin, 'edges', { stream }, ASK_TIMEOUT_MS);
      this.#keep(stream, nodes);
    } catch {
      // An origin of an older version, or one that is busy or dying: what the play meets there, it is told.
      this.#keep(stream, before ? [...before] : []);
    } finally {
      this.#asking.delete(stream);
    }
    return [...(this.#known.get(stream)?.nodes ?? [])];
  }

  #keep(stream: StreamName, nodes: readonly NodeId[]): void {
    this.#known.delete(stream);
    this.#known.set(stream, { nodes: new Set(nodes), untilMs: this.#now() + FRESH_MS });
    if (this.#known.size <= MAX_STREAMS) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      break;
    }
  }
}
