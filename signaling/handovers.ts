import type { Logger } from 'pino';
import type { StreamName } from '../core/protocol/index.ts';
import type { NodeId } from '../core/registry/record.ts';
import type { MediaLinks } from './media-links.ts';

const MAX_EXPECTED = 10_000;
const CALL_TIMEOUT_MS = 2000;

/**
 * Streams on their way from one media server to another. The former keeps its viewers until it is told that the
 * publisher is connected at the latter.
 */
export class Handovers {
  readonly #links: MediaLinks;
  readonly #log: Logger;
  readonly #expected = new Map<StreamName, { readonly epoch: number; readonly from: NodeId }>();

  constructor(options: { links: MediaLinks; log: Logger }) {
    this.#links = options.links;
    this.#log = options.log;
  }

  /** @param epoch of the claim at the new media server */
  expect(stream: StreamName, epoch: number, from: NodeId): void {
    this.#expected.delete(stream);
    this.#expected.set(stream, { epoch, from });
    if (this.#expected.size <= MAX_EXPECTED) return;
    // What is forgotten, the former media server finds in the registry, some seconds later.
    for (const oldest of this.#expected.keys()) {
      this.#expected.delete(oldest);
      break;
    }
  }

  connected(stream: StreamName, epoch: number): void {
    const expected = this.#expected.get(stream);
    if (expected?.epoch !== epoch) return;
    this.#expected.delete(stream);
    const { from } = expected;
    this.#links.call(from, 'moved', { stream, epoch }, CALL_TIMEOUT_MS).then(
      () => this.#log.info({ stream, epoch, from }, 'stream moved to another media server'),
      (error: unknown) =>
        this.#log.info({ stream, epoch, from, err: error }, 'the former media server of a stream not told'),
    );
  }

  ended(stream: StreamName, epoch: number): void {
    if (this.#expected.get(stream)?.epoch === epoch) this.#expected.delete(stream);
  }
}
