import { pino } from 'pino';
import type { EndReason } from '../../../core/channel/media.ts';
import type { SessionId } from '../../../core/protocol/session-id.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import { claim, node, nodeId, sessionId, VIDEO } from '../../../core/registry/conformance-trial.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import { Holdings } from '../../../media-server/holdings.ts';
import { NodeLease } from '../../../media-server/node-lease.ts';
import type { Stream } from '../../../media-server/stream.ts';

/** A stream without media. */
class HeldStream {
  readonly name: StreamName;
  readonly subject = 'ann';
  readonly epoch: number;
  readonly session: SessionId;
  endedFor: EndReason | undefined;

  constructor(name: StreamName, epoch: number, session: SessionId) {
    this.name = name;
    this.epoch = epoch;
    this.session = session;
  }

  get ended(): boolean {
    return this.endedFor !== undefined;
  }

  displaced(): void {
    this.endedFor = 'displaced';
  }

  glance() {
    const { name: stream, epoch, session } = this;
    return { stream, epoch, session, sinceMs: 7, tracks: [VIDEO] };
  }
}

/** A media server as the registry knows it: its lease and its holdings are the real ones, its streams have no media. */
export class Holder {
  readonly id: string;
  readonly registry: Registry;
  readonly streams = new Map<StreamName, HeldStream>();
  fenced = false;
  readonly #lease: NodeLease;
  readonly #holdings: Holdings;

  private constructor(registry: Registry, id: string) {
    this.id = id;
    this.registry = registry;
    const log = pino({ level: 'silent' });
    const streams = this.streams;
    const shown = {
      get names() {
        return [...streams.keys()];
      },
      get: (stream: StreamName) => {
        const held = streams.get(stream);
        return held === undefined || held.ended ? undefined : (held as unknown as Stream);
      },
    };
    this.#holdings = new Holdings(registry, nodeId(id), shown, log);
    registry.onLoss('streams', () => this.#holdings.announceAll());
    this.#lease = new NodeLease({
      registry,
      describe: () => node(id, { streams: streams.size }),
      afterRenewal: () => this.#holdings.check(),
      onFenced: () => {
        this.fenced = true;
      },
      log,
    });
  }

  static async start(registry: Registry, id: string): Promise<Holder> {
    const holder = new Holder(registry, id);
    await holder.#lease.start();
    return holder;
  }

  /** Claims and describes a stream for it, as signaling does. @returns its epoch */
  async publish(stream: string, displaces?: number): Promise<number> {
    const request = claim(stream, this.id, displaces === undefined ? {} : { displaces });
    const result = await this.registry.claimStream(request);
    if (!result.granted) throw new Error(`"${stream}" is held by ${JSON.stringify(result.holder)}`);
    this.hold(request.name, result.epoch);
    await this.registry.describeStream(request.name, result.epoch, [VIDEO]);
    return result.epoch;
  }

  hold(stream: StreamName, epoch: number): void {
    this.streams.set(stream, new HeldStream(stream, epoch, sessionId(`session of ${stream}`)));
  }

  stop(): void {
    this.#lease.stop();
  }
}
