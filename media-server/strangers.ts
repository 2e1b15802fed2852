import type { Logger } from 'pino';
import type { StreamName } from '../core/protocol/stream-name.ts';
import type { NodeId } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';
import type { Streams } from './streams.ts';

const CHECK_EVERY_MS = 10_000;
/** Longer than from a claim to its publish: by then nobody is coming with it. */
const PATIENCE_MS = 30_000;
const PAGE = 1000;

/**
 * Streams that the registry says this node holds, and it does not: their claims were granted after whoever made
 * them had given up, or the registry came back with what it knew some time ago. They are released, so that
 * nobody is sent here for them.
 */
export class Strangers {
  readonly #registry: Registry;
  readonly #node: NodeId;
  readonly #streams: Pick<Streams, 'get'>;
  readonly #log: Logger;
  readonly #now: () => number;
  /** When each was first seen, by name and epoch. */
  #seen = new Map<string, number>();
  #checkedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    registry: Registry,
    node: NodeId,
    streams: Pick<Streams, 'get'>,
    log: Logger,
    now: () => number = () => performance.now(),
  ) {
    this.#registry = registry;
    this.#node = node;
    this.#streams = streams;
    this.#log = log;
    this.#now = now;
  }

  /** Looks every 10 s, however often it is called. @throws MillraceError `registry_unavailable` */
  async check(): Promise<void> {
    const nowMs = this.#now();
    if (nowMs < this.#checkedAtMs + CHECK_EVERY_MS) return;
    this.#checkedAtMs = nowMs;
    const seen = new Map<string, number>();
    let after: StreamName | undefined;
    do {
      const page = await this.#registry.streams({
        node: this.#node,
        limit: PAGE,
        ...(after !== undefined && { after }),
      });
      for (const { name, epoch } of page) {
        if (this.#streams.get(name)?.epoch === epoch) continue;
        const key = `${epoch} ${name}`;
        const sinceMs = this.#seen.get(key) ?? nowMs;
        if (nowMs - sinceMs < PATIENCE_MS) seen.set(key, sinceMs);
        else await this.#release(name, epoch);
      }
      after = page.length === PAGE ? page.at(-1)?.name : undefined;
    } while (after !== undefined);
    this.#seen = seen;
  }

  async #release(name: StreamName, epoch: number): Promise<void> {
    const released = await this.#registry.releaseStream(name, epoch);
    this.#log.warn(
      { stream: name, epoch, released },
      'released a stream that was never, or is no longer, here',
    );
  }
}
