import { LoadForecast } from '../../core/placement/load-forecast.ts';
import { choosePublishNode } from '../../core/placement/node.ts';
import type { NodeEntry, NodeId } from '../../core/registry/record.ts';

/** How often a media server measures its load, and announces it: the mean of the time since the last one. */
const ANNOUNCE_MS = 1000;
const TICK_MS = 100;
/** A measurement is off by up to this share: CPU time is counted in ticks of 10 ms. */
const NOISE = 0.05;

/** @returns the index of a node, of what this signaling process sees */
export type Strategy = (seen: readonly NodeEntry[], signaling: number, nowMs: number) => number;

interface SimulatedNode {
  readonly capacity: number;
  /** Of all its streams. */
  cost: number;
  streams: number;
  /** Its load times the milliseconds for which it had it, since the last announcement. */
  work: number;
  changedMs: number;
  sampledMs: number;
  readonly phaseMs: number;
}

interface SimulatedStream {
  readonly node: number;
  readonly cost: number;
}

/**
 * Nodes that measure and announce their loads as media servers do, each at its own moment, and streams that
 * cost differently. Time passes only as it is told to.
 */
export class Simulation {
  nowMs = 0;
  /** As the registry shows them. */
  readonly seen: NodeEntry[] = [];
  readonly #nodes: SimulatedNode[] = [];
  readonly #streams: SimulatedStream[] = [];
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  get streams(): number {
    return this.#streams.length;
  }

  /** @param capacity what it can carry, in the measure of streams' costs */
  addNode(capacity: number): void {
    const id = `node-${this.#nodes.length}` as NodeId;
    this.#nodes.push({
      capacity,
      cost: 0,
      streams: 0,
      work: 0,
      changedMs: this.nowMs,
      sampledMs: this.nowMs,
      phaseMs: Math.floor(this.#random() * ANNOUNCE_MS),
    });
    const node = { id, address: '', version: '', state: 'ready', load: 0, streams: 0, viewers: 0 } as const;
    this.seen.push({ ...node, suspect: false });
  }

  place(cost: number, index: number): void {
    this.#change(index, cost, 1);
    this.#streams.push({ node: index, cost });
  }

  /** Ends one stream, drawn by chance. */
  end(): void {
    const at = Math.floor(this.#random() * this.#streams.length);
    const last = this.#streams.pop();
    if (last === undefined) return;
    const ended = this.#streams[at] ?? last;
    if (at < this.#streams.length) this.#streams[at] = last;
    this.#change(ended.node, -ended.cost, -1);
  }

  /** Every node announces what it has measured last, and how many streams it has now. */
  advance(ms: number): void {
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; ) {
      this.nowMs += TICK_MS;
      this.#nodes.forEach((node, index) => {
        if ((this.nowMs + node.phaseMs) % ANNOUNCE_MS < TICK_MS) this.#announce(node, index);
      });
    }
  }

  /** True loads, above 1 where more was placed than fits. */
  get loads(): readonly number[] {
    return this.#nodes.map(({ cost, capacity }) => cost / capacity);
  }

  #announce(node: SimulatedNode, index: number): void {
    const seen = this.seen[index];
    if (seen === undefined) return;
    this.#change(index, 0, 0);
    const noise = 1 + NOISE * (2 * this.#random() - 1);
    const load = Math.min(1, (noise * node.work) / (this.nowMs - node.sampledMs));
    node.work = 0;
    node.sampledMs = this.nowMs;
    this.seen[index] = { ...seen, load, streams: node.streams };
  }

  #change(index: number, cost: number, streams: number): void {
    const node = this.#nodes[index];
    if (node === undefined) return;
    node.work += (node.cost / node.capacity) * (this.nowMs - node.changedMs);
    node.changedMs = this.nowMs;
    node.cost += cost;
    node.streams += streams;
  }
}

/** Millrace's, as many signaling processes decide: none knows what the others place. */
export function spread(signaling: number, random: () => number): Strategy {
  const forecasts = Array.from({ length: signaling }, () => new LoadForecast());
  return (seen, process, nowMs) => {
    const forecast = forecasts[process] as LoadForecast;
    const chosen = choosePublishNode(forecast.of(seen, nowMs), random);
    if (chosen === undefined) throw new Error('no node');
    forecast.placed(chosen.id, nowMs);
    return Number(chosen.id.slice('node-'.length));
  };
}
