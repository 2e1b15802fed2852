import { compareByCodePoint } from '../../../core/registry/order.ts';
import type { NodeEntry, NodeId, NodeRecord } from '../../../core/registry/record.ts';
import { NODE_EVIDENCE_MS, NODE_LEASE_MS } from '../../../core/registry/registry.ts';
import { frozenCopy } from './frozen-copy.ts';
import { Recent } from './recent.ts';

/** Incarnations that are remembered as gone; a late announcement comes within seconds, not after so many more. */
const MAX_GONE = 1000;

interface Node {
  readonly record: NodeRecord;
  readonly leaseEndsUs: number;
}

/** Nodes and their leases. */
export class Nodes {
  readonly #nodes = new Map<NodeId, Node>();
  readonly #gone = new Recent<NodeId, true>(MAX_GONE);
  /** The latest evidence of each one's death. */
  readonly #evidence = new Map<NodeId, { readonly observer: string; readonly atUs: number }>();

  announce(node: NodeRecord, nowUs: number): boolean {
    if (this.isGone(node.id)) return false;
    this.#nodes.set(node.id, { record: frozenCopy(node), leaseEndsUs: nowUs + NODE_LEASE_MS * 1000 });
    return true;
  }

  list(nowUs: number): NodeEntry[] {
    return [...this.#nodes.values()]
      .map(({ record, leaseEndsUs }) => ({ ...record, suspect: nowUs >= leaseEndsUs }))
      .sort((a, b) => compareByCodePoint(a.id, b.id));
  }

  /** @returns whether there is evidence enough to remove it */
  report(id: NodeId, observer: string, nowUs: number): boolean {
    const node = this.#nodes.get(id);
    if (node === undefined) return false;
    const before = this.#evidence.get(id);
    this.#evidence.set(id, { observer, atUs: nowUs });
    if (nowUs >= node.leaseEndsUs) return true;
    return (
      before !== undefined && before.observer !== observer && nowUs < before.atUs + NODE_EVIDENCE_MS * 1000
    );
  }

  /** The incarnation is forgotten, and refused from now on. */
  remove(id: NodeId): void {
    this.#nodes.delete(id);
    this.#evidence.delete(id);
    this.#gone.set(id, true);
  }

  has(id: NodeId): boolean {
    return this.#nodes.has(id);
  }

  isGone(id: NodeId): boolean {
    return this.#gone.get(id) === true;
  }
}
