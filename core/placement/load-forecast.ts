import type { NodeId } from '../registry/record.ts';
import type { Loaded } from './least-loaded.ts';

/** Until what was placed shows in a node's announced load: it connects, is measured, smoothed and announced. */
const SETTLE_MS = 4000;
/** Of a node that carries nothing yet: what 1 Mbit/s to a viewer was measured to cost a core (bench/README.md). */
const DEFAULT_COST = 0.002;
const LEAST_COST = 0.0002;
const GREATEST_COST = 0.02;
/** Placements remembered of one node; what is beyond, a node will have announced as full long before. */
const MAX_PLACED = 10_000;

type Node = Loaded & { readonly id: NodeId };

/**
 * Announced loads lag by some seconds. A burst that trusted them would go to one node; so what was placed
 * in the meantime is added to them, at the price that the node's load so far puts on each.
 */
export class LoadForecast {
  /** When each was placed, oldest first. */
  readonly #placed = new Map<NodeId, number[]>();

  placed(node: NodeId, nowMs: number): void {
    const times = this.#placed.get(node) ?? [];
    if (times.length < MAX_PLACED) times.push(nowMs);
    this.#placed.set(node, times);
  }

  /** The nodes with the loads that they are about to have, those without new placements as they are. */
  of<T extends Node>(nodes: readonly T[], nowMs: number): readonly T[] {
    this.#forget(nowMs);
    if (this.#placed.size === 0) return nodes;
    return nodes.map((node) => {
      const placed = this.#placed.get(node.id)?.length ?? 0;
      return placed === 0 ? node : { ...node, load: Math.min(1, node.load + placed * costOf(node)) };
    });
  }

  #forget(nowMs: number): void {
    for (const [node, times] of this.#placed) {
      const first = times.findIndex((time) => time > nowMs - SETTLE_MS);
      if (first < 0) this.#placed.delete(node);
      else times.splice(0, first);
    }
  }
}

function costOf({ load, streams, viewers }: Node): number {
  const carried = streams + viewers;
  if (carried === 0) return DEFAULT_COST;
  return Math.min(GREATEST_COST, Math.max(LEAST_COST, load / carried));
}
