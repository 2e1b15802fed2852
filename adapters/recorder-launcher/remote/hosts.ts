import type { Logger } from 'pino';
import type { RecordingChannel, RecordingNotice } from '../../../core/channel/recordings.ts';
import type { NodeEntry, NodeId } from '../../../core/registry/record.ts';
import { NODE_LEASE_MS, type Registry } from '../../../core/registry/registry.ts';
import { Rounds } from '../rounds.ts';

const LOOK_EVERY_MS = 1000;

export interface HostsOptions {
  readonly registry: Registry;
  /** Opens a channel to a process that runs recordings. */
  readonly connect: (node: NodeEntry) => RecordingChannel;
  readonly onNotice: (notice: RecordingNotice) => void;
  /** A channel is gone. */
  readonly onLost: (node: NodeId) => void;
  /** There is evidence that the process is dead; told again when its lease has run out all the same. */
  readonly onDead: (node: NodeId) => void;
  /** After each look. */
  readonly onLook: () => void;
  readonly log: Logger;
  readonly now: () => number;
}

/** The processes that run recordings, and a channel to each that lives. */
export class Hosts {
  readonly #options: HostsOptions;
  readonly #rounds: Rounds;
  readonly #channels = new Map<NodeId, RecordingChannel>();
  /** When each that was out of reach may be tried again. */
  readonly #shunnedUntilMs = new Map<NodeId, number>();
  /** Not seen alive since. */
  readonly #dead = new Set<NodeId>();
  #nodes: readonly NodeEntry[] = [];

  constructor(options: HostsOptions) {
    this.#options = options;
    this.#rounds = new Rounds(() => this.#round(), LOOK_EVERY_MS);
  }

  open(): void {
    this.#rounds.open();
  }

  close(): void {
    this.#rounds.close();
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }

  /** Those that live, as last seen. */
  get alive(): readonly NodeEntry[] {
    return this.#nodes.filter((node) => !node.suspect && this.#isReachable(node.id));
  }

  isLinked(host: string): boolean {
    return this.#channels.has(host as NodeId);
  }

  /** Undefined for what was out of reach a moment ago. */
  channelTo(node: NodeEntry): RecordingChannel | undefined {
    const open = this.#channels.get(node.id);
    if (open !== undefined || this.#rounds.closed || !this.#isReachable(node.id)) return open;
    const channel = this.#options.connect(node);
    this.#channels.set(node.id, channel);
    channel.onNotice((notice) => this.#options.onNotice(notice));
    channel.onClose((end) => {
      if (this.#channels.get(node.id) === channel) this.#channels.delete(node.id);
      this.#options.onLost(node.id);
      if (end === 'dead') {
        this.#dead.add(node.id);
        this.#options.onDead(node.id);
      }
      if (end !== 'closed') this.#shunnedUntilMs.set(node.id, this.#options.now() + NODE_LEASE_MS);
    });
    return channel;
  }

  /** @throws MillraceError `registry_unavailable` */
  async look(): Promise<readonly NodeEntry[]> {
    this.#nodes = await this.#options.registry.nodes();
    for (const id of this.#shunnedUntilMs.keys()) {
      if (!this.#nodes.some((node) => node.id === id)) this.#shunnedUntilMs.delete(id);
    }
    for (const id of this.#dead) {
      const node = this.#nodes.find((known) => known.id === id);
      if (node?.suspect) this.#options.onDead(id);
      else if (node === undefined || this.#channels.has(id)) this.#dead.delete(id);
    }
    return this.alive;
  }

  async #round(): Promise<void> {
    try {
      for (const node of await this.look()) this.channelTo(node);
    } catch (error) {
      this.#options.log.debug({ err: error }, 'the registry does not say who records');
    }
    if (!this.#rounds.closed) this.#options.onLook();
  }

  #isReachable(id: NodeId): boolean {
    return this.#options.now() >= (this.#shunnedUntilMs.get(id) ?? 0);
  }
}
