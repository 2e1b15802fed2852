import type { PlayReply, PlayRequest, StreamOrigin } from '../core/channel/media.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import { Edge, type EdgeContext } from './edge.ts';
import type { Sampled } from './sampler.ts';
import { draining } from './stream-error.ts';

/** The streams that this media server pulls from others. */
export class Edges {
  readonly #context: EdgeContext;
  readonly #edges = new Map<StreamName, Edge>();
  #draining = false;

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  get size(): number {
    return this.#edges.size;
  }

  get viewers(): number {
    return [...this.#edges.values()].reduce((sum, { audience }) => sum + audience.size, 0);
  }

  /** What others may pull from here: nothing while it drains. */
  get forOthers(): Pick<Map<StreamName, Edge>, 'get'> {
    return this.#draining ? new Map() : this.#edges;
  }

  get(name: StreamName): Edge | undefined {
    return this.#edges.get(name);
  }

  get names(): readonly StreamName[] {
    return [...this.#edges.keys()];
  }

  /** All that statistics are read of. */
  *sampled(): Iterable<Sampled> {
    for (const edge of this.#edges.values()) yield* edge.sampled();
  }

  /** From now on takes nobody but who is here, and asks those to leave. */
  drain(): void {
    this.#draining = true;
    for (const edge of this.#edges.values()) edge.depart();
  }

  /** @throws MillraceError as `Edge.play` */
  async play(request: PlayRequest, origin: StreamOrigin): Promise<PlayReply> {
    const { stream: name, session } = request;
    if (this.#draining && !this.#edges.get(name)?.audience.has(session)) throw draining();
    const edge = this.#edges.get(name) ?? this.#begin(name, origin);
    return edge.play(request, origin);
  }

  /** Ends all of them here; those that pull from here go to others. */
  endAll(): void {
    for (const edge of [...this.#edges.values()]) edge.end('media_server_lost');
  }

  #begin(name: StreamName, origin: StreamOrigin): Edge {
    const edge = new Edge(name, origin, this.#context, (ended) => {
      if (this.#edges.get(name) === ended) this.#edges.delete(name);
    });
    this.#edges.set(name, edge);
    return edge;
  }
}
