import type { ChannelEnd } from '../core/channel/channel.ts';
import type { MediaCalls, MediaChannel, MediaNotice } from '../core/channel/media.ts';
import { MillraceError } from '../core/protocol/index.ts';
import type { NodeEntry, NodeId } from '../core/registry/record.ts';
import { NODE_LEASE_MS, type Registry } from '../core/registry/registry.ts';

/** How long a media server that was out of reach is left alone. By then its lease says whether it lives. */
const SHUNNED_MS = NODE_LEASE_MS;

/** The channels to media servers, one for each that was ever needed, for as long as it lasts. */
export class MediaLinks {
  readonly #registry: Registry;
  readonly #open: (node: NodeEntry) => MediaChannel;
  readonly #onNotice: (notice: MediaNotice, node: NodeId) => void;
  readonly #onLost: (node: NodeId, end: Exclude<ChannelEnd, 'unreached'>) => void;
  readonly #now: () => number;
  readonly #channels = new Map<NodeId, MediaChannel>();
  /** When each that was out of reach may be tried again. */
  readonly #shunnedUntilMs = new Map<NodeId, number>();
  #closed = false;

  constructor(options: {
    registry: Registry;
    mediaChannel: (node: NodeEntry) => MediaChannel;
    onNotice: (notice: MediaNotice, node: NodeId) => void;
    /** The channel to a media server is gone for good, and what was there is lost to us. */
    onLost: (node: NodeId, end: Exclude<ChannelEnd, 'unreached'>) => void;
    now: () => number;
  }) {
    this.#registry = options.registry;
    this.#open = options.mediaChannel;
    this.#onNotice = options.onNotice;
    this.#onLost = options.onLost;
    this.#now = options.now;
  }

  /**
   * @throws MillraceError as the media server threw it, `no_media_server`, `timed_out`, `registry_unavailable`
   *   when the node's address is not known yet
   */
  async call<Name extends keyof MediaCalls & string>(
    node: NodeId,
    name: Name,
    request: MediaCalls[Name]['request'],
    timeoutMs: number,
  ): Promise<MediaCalls[Name]['reply']> {
    const channel = this.#channels.get(node) ?? (await this.#connect(node));
    return channel.call(name, request, { timeoutMs: Math.max(1, timeoutMs) });
  }

  /** Hears what a media server tells, from now on, if it is there. */
  listen(node: NodeId): void {
    if (this.#channels.has(node)) return;
    // Whoever calls it next is told why it cannot be reached.
    this.#connect(node).catch(() => {});
  }

  /** false for a media server that was out of reach a moment ago. */
  reaches(node: NodeId): boolean {
    return this.#now() >= (this.#shunnedUntilMs.get(node) ?? 0);
  }

  async #connect(node: NodeId): Promise<MediaChannel> {
    if (!this.reaches(node)) {
      throw new MillraceError(
        'no_media_server',
        'the media server is out of reach; try again in some seconds',
      );
    }
    const entry = (await this.#registry.nodes()).find((known) => known.id === node);
    const raced = this.#channels.get(node);
    if (raced !== undefined) return raced;
    if (entry === undefined || this.#closed) {
      throw new MillraceError('no_media_server', 'the media server that has this stream is gone; start over');
    }
    const channel = this.#open(entry);
    this.#channels.set(node, channel);
    channel.onNotice((notice) => this.#onNotice(notice, node));
    channel.onClose((end) => this.#gone(node, end));
    return channel;
  }

  #gone(node: NodeId, end: ChannelEnd): void {
    this.#channels.delete(node);
    if (this.#closed) return;
    if (end !== 'closed') this.#shun(node);
    // What was never reached has told us nothing that could be lost.
    if (end !== 'unreached') this.#onLost(node, end);
  }

  #shun(node: NodeId): void {
    const nowMs = this.#now();
    for (const [shunned, untilMs] of this.#shunnedUntilMs) {
      if (untilMs <= nowMs) this.#shunnedUntilMs.delete(shunned);
    }
    this.#shunnedUntilMs.set(node, nowMs + SHUNNED_MS);
  }

  close(): void {
    this.#closed = true;
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }
}
