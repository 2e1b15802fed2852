import type { Logger } from 'pino';
import type { EndReason, MediaNotice, Role } from '../core/channel/media.ts';
import type { StreamName } from '../core/protocol/index.ts';
import type { NodeId } from '../core/registry/record.ts';
import type { Handovers } from './handovers.ts';
import type { Session } from './session.ts';
import type { SessionRecords } from './session-records.ts';
import type { SessionStore } from './session-store.ts';
import type { StreamDirectory } from './stream-directory.ts';
import type { WebhookNews } from './webhook-news.ts';

/** What media servers tell, brought to the sessions that it concerns. */
export class Notices {
  readonly #sessions: SessionStore;
  readonly #records: SessionRecords;
  readonly #streams: StreamDirectory;
  readonly #webhooks: WebhookNews;
  readonly #handovers: Handovers;
  readonly #log: Logger;

  constructor(options: {
    sessions: SessionStore;
    records: SessionRecords;
    streams: StreamDirectory;
    webhooks: WebhookNews;
    handovers: Handovers;
    log: Logger;
  }) {
    this.#sessions = options.sessions;
    this.#records = options.records;
    this.#streams = options.streams;
    this.#webhooks = options.webhooks;
    this.#handovers = options.handovers;
    this.#log = options.log;
  }

  receive(notice: MediaNotice, node: NodeId): void {
    const session = this.#sessions.get(notice.session);
    const { stream } = notice;
    switch (notice.type) {
      case 'publish.connected':
        this.#log.info({ session: session?.publicId, stream, node, epoch: notice.epoch }, 'stream connected');
        this.#handovers.connected(stream, notice.epoch);
        return;
      case 'publish.ended': {
        this.#streams.forget(stream, notice.epoch);
        this.#handovers.ended(stream, notice.epoch);
        this.#log.info(
          { session: session?.publicId, stream, node, epoch: notice.epoch, reason: notice.reason },
          'stream ended',
        );
        const held = session?.dropHold(stream, 'publish', notice.epoch) ? session : undefined;
        this.#webhooks.streamEnded(stream, notice.epoch, notice.reason, held);
        if (held !== undefined) {
          // A worker that died closed no transport (the others did).
          this.#tellEnd(held, stream, 'publish', notice.reason, notice.reason !== 'media_server_lost');
        }
        return;
      }
      case 'play.ended':
        if (session?.hold(stream)?.play?.node === node && session.dropHold(stream, 'play')) {
          this.#log.info({ session: session.publicId, stream, node, reason: notice.reason }, 'play ended');
          this.#tellEnd(session, stream, 'play', notice.reason, notice.transportClosed);
        }
        return;
      case 'play.moved':
        session?.tell({ method: 'stream.moved', stream, data: { role: 'play' } });
        return;
      case 'publish.moved':
        if (session?.hold(stream)?.publish?.epoch === notice.epoch)
          session.tell({ method: 'stream.moved', stream, data: { role: 'publish' } });
        return;
    }
  }

  /** A media server is out of reach for good: everything that sessions had there is lost. */
  nodeLost(node: NodeId): void {
    this.#log.warn({ node }, 'media server lost');
    for (const session of this.#sessions.all()) {
      for (const hold of session.holds()) {
        if (hold.node !== node) continue;
        const epoch = session.hold(hold.stream)?.publish?.epoch;
        session.dropHold(hold.stream, hold.role);
        if (hold.role === 'publish' && epoch !== undefined) {
          this.#webhooks.streamEnded(hold.stream, epoch, 'media_server_lost', session);
        }
        this.#tellEnd(session, hold.stream, hold.role, 'media_server_lost', false);
      }
    }
  }

  #tellEnd(session: Session, stream: StreamName, role: Role, reason: EndReason, seen: boolean): void {
    void this.#records.save(session);
    // What its own session closed, the reply to that request has told.
    if (reason === 'closed') return;
    const event = { method: 'stream.ended', stream, data: { role, reason } } as const;
    if (seen) session.tell(event);
    else session.tellLost(event);
  }
}
