import type { MediaCalls, MediaChannel, MediaNotice } from '../core/channel/media.ts';
import { MillraceError } from '../core/protocol/index.ts';
import type { NodeEntry, NodeId } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';

/** The channels to media servers, one for each that was ever needed, for as long as it lasts. */
export class MediaLinks {
  readonly #registry: Registry;
  readonly #open: (node: NodeEntry) => MediaChannel;
  readonly #onNotice: (notice: MediaNotice, node: NodeId) => void;
  readonly #onLost: (node: NodeId) => void;
  readonly #channels = new Map<NodeId, MediaChannel>();
  #closed = false;

  constructor(options: {
    registry: Registry;
    mediaChannel: (node: NodeEntry) => MediaChannel;
    onNotice: (notice: MediaNotice, node: NodeId) => void;
    /** The media server is out of reach for good. */
    onLost: (node: NodeId) => void;
  }) {
    this.#registry = options.registry;
    this.#open = options.mediaChannel;
    this.#onNotice = options.onNotice;
    this.#onLost = options.onLost;
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

  async #connect(node: NodeId): Promise<MediaChannel> {
    const entry = (await this.#registry.nodes()).find((known) => known.id === node);
    const raced = this.#channels.get(node);
    if (raced !== undefined) return raced;
    if (entry === undefined || this.#closed) {
      throw new MillraceError('no_media_server', 'the media server that has this stream is gone; start over');
    }
    const channel = this.#open(entry);
    this.#channels.set(node, channel);
    channel.onNotice((notice) => this.#onNotice(notice, node));
    channel.onClose(() => {
      this.#channels.delete(node);
      if (!this.#closed) this.#onLost(node);
    });
    return channel;
  }

  close(): void {
    this.#closed = true;
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }
}
