import { isDeepStrictEqual } from 'node:util';
import type { Track } from '../channel/media.ts';
import type { SessionId } from '../protocol/session-id.ts';
import type { StreamName } from '../protocol/stream-name.ts';
import { compareByCodePoint } from './order.ts';
import type { NodeEntry, NodeId, NodeRecord, SessionRecord, StreamRecord } from './record.ts';
import {
  NODE_EVIDENCE_MS,
  NODE_LEASE_MS,
  SESSION_FENCED_MS,
  type StreamChange,
  type StreamClaim,
} from './registry.ts';

/** One call of the registry, or time that passes. */
export type Step =
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'announce'; readonly node: NodeRecord }
  | { readonly do: 'withdraw' | 'fence'; readonly node: NodeId }
  | { readonly do: 'report'; readonly node: NodeId; readonly observer: string }
  | { readonly do: 'claim'; readonly claim: StreamClaim }
  | {
      readonly do: 'describe';
      readonly name: StreamName;
      readonly epoch: number;
      readonly tracks: readonly Track[];
    }
  | { readonly do: 'release'; readonly name: StreamName; readonly epoch: number }
  | { readonly do: 'reannounce'; readonly stream: StreamRecord }
  | { readonly do: 'save'; readonly session: SessionRecord; readonly ttlMs: number }
  | { readonly do: 'take'; readonly session: SessionId; readonly signaling: string; readonly ttlMs: number }
  | { readonly do: 'delete'; readonly session: SessionId; readonly epoch: number };

/** Answer that the model cannot foretell exactly: which epoch it is. */
export interface Granted {
  readonly grantedAbove: number;
}
/** The same of a session, which is otherwise so. */
export interface Taken extends Granted {
  readonly session: SessionRecord;
  readonly from: string;
}
export type Answer = Granted | Taken | StreamRecord | boolean | 'no_media_server' | undefined;

/** A session, or what is remembered of one that was deleted. */
interface Kept {
  readonly session: SessionRecord | undefined;
  readonly epoch: number;
  readonly endsMs: number;
}

/**
 * What the rules of `Registry` say, as plainly as they can be said: sets and lists, no bounds, no sharing.
 * `conformance-model.ts` holds a registry against it, step by step.
 */
export class RegistryModel {
  readonly changes: StreamChange[] = [];
  /** Every epoch that was granted or announced, in order. */
  readonly epochs = new Map<StreamName, number[]>();
  readonly #nodes = new Map<NodeId, { readonly node: NodeRecord; readonly leaseEndsMs: number }>();
  readonly #gone = new Set<NodeId>();
  readonly #streams = new Map<StreamName, StreamRecord>();
  readonly #evidence = new Map<NodeId, { readonly observer: string; readonly atMs: number }>();
  readonly #sessions = new Map<SessionId, Kept>();
  #nowMs = 0;

  /** Another one that knows what this one does, and goes on by itself. */
  clone(): RegistryModel {
    const clone = new RegistryModel();
    clone.changes.push(...this.changes);
    for (const [name, epochs] of this.epochs) clone.epochs.set(name, epochs);
    for (const [id, node] of this.#nodes) clone.#nodes.set(id, node);
    for (const id of this.#gone) clone.#gone.add(id);
    for (const [name, stream] of this.#streams) clone.#streams.set(name, stream);
    for (const [id, evidence] of this.#evidence) clone.#evidence.set(id, evidence);
    for (const [id, kept] of this.#sessions) clone.#sessions.set(id, kept);
    clone.#nowMs = this.#nowMs;
    return clone;
  }

  /** Whether both will answer everything alike; what they tell of the past is not looked at. */
  equals(other: RegistryModel): boolean {
    const knowledge = (model: RegistryModel) => [
      model.#nodes,
      model.#gone,
      model.#streams,
      model.#evidence,
      model.#sessions,
      model.epochs,
    ];
    return isDeepStrictEqual(knowledge(this), knowledge(other));
  }

  /** Takes the step. @returns what the registry must answer */
  take(step: Step): Answer {
    switch (step.do) {
      case 'pass':
        this.#nowMs += step.ms;
        return undefined;
      case 'announce':
        if (this.#gone.has(step.node.id)) return false;
        this.#nodes.set(step.node.id, { node: step.node, leaseEndsMs: this.#nowMs + NODE_LEASE_MS });
        return true;
      case 'withdraw':
      case 'fence':
        return this.#remove(step.node);
      case 'claim':
        return this.#mayClaim(step.claim);
      case 'describe':
        return this.#ofHolder(step.name, step.epoch, (stream) =>
          this.#hold({ ...stream, tracks: step.tracks }),
        );
      case 'release':
        return this.#ofHolder(step.name, step.epoch, (stream) => this.#release(stream));
      case 'reannounce':
        return this.#reannounce(step.stream);
      case 'report':
        return this.#report(step.node, step.observer);
      case 'save':
        return this.#save(step.session, step.ttlMs);
      case 'take':
        return this.#take(step.session, step.signaling);
      case 'delete':
        return this.#delete(step.session, step.epoch);
    }
  }

  /** The registry granted this claim with this epoch. */
  grant({ displaces: _, ...claim }: StreamClaim, epoch: number, sinceMs: number): void {
    this.#hold({ ...claim, epoch, sinceMs, tracks: [] });
  }

  /** The registry gave this session away, so. */
  granted(session: SessionRecord, ttlMs: number): void {
    this.#keep(session.id, { session, epoch: session.epoch, endsMs: this.#nowMs + ttlMs });
  }

  nodes(): NodeEntry[] {
    return [...this.#nodes.values()]
      .map(({ node, leaseEndsMs }) => ({ ...node, suspect: this.#nowMs >= leaseEndsMs }))
      .sort((a, b) => compareByCodePoint(a.id, b.id));
  }

  held(): StreamRecord[] {
    return [...this.#streams.values()].sort((a, b) => compareByCodePoint(a.name, b.name));
  }

  sessions(): SessionRecord[] {
    return [...this.#sessions.values()]
      .filter(({ endsMs }) => this.#nowMs < endsMs)
      .flatMap(({ session }) => session ?? [])
      .sort((a, b) => compareByCodePoint(a.id, b.id));
  }

  highest(name: StreamName): number {
    return Math.max(0, ...(this.epochs.get(name) ?? []));
  }

  /** 0 of a session that was never taken. */
  epochOf(id: SessionId): number {
    return this.#kept(id)?.epoch ?? 0;
  }

  #remove(id: NodeId): undefined {
    this.#nodes.delete(id);
    this.#evidence.delete(id);
    this.#gone.add(id);
    for (const stream of [...this.#streams.values()]) if (stream.node === id) this.#release(stream);
  }

  #report(id: NodeId, observer: string): boolean {
    if (this.#gone.has(id)) return true;
    const node = this.#nodes.get(id);
    if (node === undefined) return false;
    const evidence = this.#evidence.get(id);
    const second =
      evidence !== undefined &&
      evidence.observer !== observer &&
      this.#nowMs < evidence.atMs + NODE_EVIDENCE_MS;
    this.#evidence.set(id, { observer, atMs: this.#nowMs });
    if (!second && this.#nowMs < node.leaseEndsMs) return false;
    this.#remove(id);
    return true;
  }

  #save(session: SessionRecord, ttlMs: number): boolean {
    const kept = this.#kept(session.id);
    if (kept !== undefined) {
      const own = kept.epoch === session.epoch && kept.session?.signaling === session.signaling;
      if (!own && kept.epoch >= session.epoch) return false;
    }
    this.granted(session, ttlMs);
    return true;
  }

  #take(id: SessionId, signaling: string): Answer {
    const { session } = this.#kept(id) ?? {};
    if (session === undefined) return undefined;
    return { grantedAbove: session.epoch, session: { ...session, signaling }, from: session.signaling };
  }

  #delete(id: SessionId, epoch: number): boolean {
    const kept = this.#kept(id);
    if (kept === undefined) return true;
    if (kept.epoch > epoch) return false;
    this.#keep(id, { session: undefined, epoch, endsMs: this.#nowMs + SESSION_FENCED_MS });
    return true;
  }

  #kept(id: SessionId): Kept | undefined {
    const kept = this.#sessions.get(id);
    return kept !== undefined && this.#nowMs < kept.endsMs ? kept : undefined;
  }

  #keep(id: SessionId, kept: Kept): void {
    this.#sessions.set(id, kept);
  }

  #mayClaim({ name, node, displaces }: StreamClaim): Answer {
    if (!this.#nodes.has(node)) return 'no_media_server';
    const holder = this.#streams.get(name);
    if (holder !== undefined && holder.epoch !== displaces) return holder;
    return { grantedAbove: this.highest(name) };
  }

  #ofHolder(name: StreamName, epoch: number, act: (stream: StreamRecord) => void): boolean {
    const stream = this.#streams.get(name);
    if (stream?.epoch !== epoch) return false;
    act(stream);
    return true;
  }

  #reannounce(stream: StreamRecord): Answer {
    if (this.#gone.has(stream.node)) return false;
    if (!this.#nodes.has(stream.node)) return 'no_media_server';
    const holder = this.#streams.get(stream.name);
    const ownAlready = holder?.epoch === stream.epoch && holder.node === stream.node;
    if (!ownAlready && stream.epoch <= this.highest(stream.name)) return false;
    this.#hold(stream);
    return true;
  }

  #hold(stream: StreamRecord): void {
    const epochs = this.epochs.get(stream.name) ?? [];
    if (!epochs.includes(stream.epoch)) this.epochs.set(stream.name, [...epochs, stream.epoch]);
    this.#streams.set(stream.name, stream);
    this.changes.push({ type: stream.tracks.length === 0 ? 'claimed' : 'described', stream });
  }

  #release({ name, epoch }: StreamRecord): void {
    this.#streams.delete(name);
    this.changes.push({ type: 'released', name, epoch });
  }
}
