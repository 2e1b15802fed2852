import type { Track } from '../../../core/channel/media.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { NodeId, StreamRecord } from '../../../core/registry/record.ts';
import type { ClaimResult, StreamChange, StreamClaim, StreamPage } from '../../../core/registry/registry.ts';
import { frozenCopy } from './frozen-copy.ts';
import { pageOf } from './page.ts';
import { Recent } from './recent.ts';

/** Names whose last epoch is remembered after their release, against a holder that was displaced before it. */
const MAX_RELEASED = 1000;

/** Who holds which stream. Every change is told once, after it was made. */
export class Streams {
  readonly #held = new Map<StreamName, StreamRecord>();
  readonly #released = new Recent<StreamName, number>(MAX_RELEASED);
  readonly #tell: (change: StreamChange) => void;
  /** Of all names, so that epochs grow even where a name is forgotten. */
  #lastEpoch = 0;

  constructor(tell: (change: StreamChange) => void) {
    this.#tell = tell;
  }

  claim({ displaces, ...claim }: StreamClaim, nowUs: number): ClaimResult {
    const holder = this.#held.get(claim.name);
    if (holder !== undefined && holder.epoch !== displaces) return { granted: false, holder };
    this.#lastEpoch = Math.max(nowUs, this.#lastEpoch + 1);
    const epoch = this.#lastEpoch;
    const sinceMs = Math.floor(nowUs / 1000);
    this.#hold({ ...claim, epoch, tracks: [], sinceMs });
    return { granted: true, epoch };
  }

  describe(name: StreamName, epoch: number, tracks: readonly Track[]): boolean {
    const stream = this.#held.get(name);
    if (stream?.epoch !== epoch) return false;
    this.#hold({ ...stream, tracks });
    return true;
  }

  release(name: StreamName, epoch: number): boolean {
    if (this.#held.get(name)?.epoch !== epoch) return false;
    this.#held.delete(name);
    this.#released.set(name, epoch);
    this.#tell({ type: 'released', name, epoch });
    return true;
  }

  reannounce(stream: StreamRecord): boolean {
    const holder = this.#held.get(stream.name);
    if (holder !== undefined && holder.epoch === stream.epoch) {
      if (holder.node !== stream.node) return false;
      this.#hold(stream);
      return true;
    }
    const known = holder?.epoch ?? this.#released.get(stream.name) ?? 0;
    if (known >= stream.epoch) return false;
    this.#lastEpoch = Math.max(this.#lastEpoch, stream.epoch);
    this.#hold(stream);
    return true;
  }

  releaseAllOf(node: NodeId): void {
    for (const stream of [...this.#held.values()]) {
      if (stream.node === node) this.release(stream.name, stream.epoch);
    }
  }

  find(name: StreamName): StreamRecord | undefined {
    return this.#held.get(name);
  }

  page({ node, ...page }: StreamPage): StreamRecord[] {
    if (node === undefined) return pageOf(this.#held, page);
    return pageOf(new Map([...this.#held].filter(([, stream]) => stream.node === node)), page);
  }

  #hold(record: StreamRecord): void {
    const stream = frozenCopy(record);
    this.#held.set(stream.name, stream);
    this.#tell(heldChange(stream));
  }
}

/** What a watch is told of a stream that somebody holds. */
export function heldChange(stream: StreamRecord): StreamChange {
  return { type: stream.tracks.length === 0 ? 'claimed' : 'described', stream };
}
