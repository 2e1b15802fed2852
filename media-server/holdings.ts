import type { Logger } from 'pino';
import type { Track } from '../core/channel/media.ts';
import type { StreamName } from '../core/protocol/stream-name.ts';
import type { NodeId, StreamRecord } from '../core/registry/record.ts';
import type { Registry } from '../core/registry/registry.ts';
import type { Stream } from './stream.ts';
import type { Streams } from './streams.ts';

const CHECKS_PER_ROUND = 100;
/** Releases that the registry could not take; it forgets them by itself with this node. */
const MAX_PENDING_RELEASES = 10_000;

/**
 * What this node holds in the registry, kept in step with the streams that it has: a stream that the registry
 * lost is announced again, one that it knows with other tracks is described, one that somebody else holds with a
 * higher epoch is stopped, one that ended is released, later if the registry is out of reach now.
 */
export class Holdings {
  readonly #registry: Registry;
  readonly #node: NodeId;
  readonly #log: Logger;
  readonly #streams: Pick<Streams, 'names' | 'get'>;
  readonly #pending = new Map<StreamName, number>();
  #round: Iterator<StreamName> | undefined;
  #lost = false;

  constructor(registry: Registry, node: NodeId, streams: Pick<Streams, 'names' | 'get'>, log: Logger) {
    this.#registry = registry;
    this.#node = node;
    this.#streams = streams;
    this.#log = log;
  }

  /** Gives an ended stream up; never throws. */
  async release(name: StreamName, epoch: number): Promise<void> {
    try {
      await this.#registry.releaseStream(name, epoch);
    } catch (error) {
      this.#log.warn({ err: error, stream: name }, 'stream not released yet: registry out of reach');
      if (this.#pending.size < MAX_PENDING_RELEASES) this.#pending.set(name, epoch);
    }
  }

  /** The registry may have lost anything: the next check tells it of all streams. */
  announceAll(): void {
    this.#lost = true;
  }

  /** Announces what was lost, catches up with releases, then checks the next of the streams. @throws MillraceError `registry_unavailable` */
  async check(): Promise<void> {
    // Ahead of releases, which a registry that lost their streams refuses for as long as it is being told.
    if (this.#lost) await this.#announceAll();
    for (const [name, epoch] of this.#pending) {
      await this.#registry.releaseStream(name, epoch);
      this.#pending.delete(name);
    }
    for (let checked = 0; checked < CHECKS_PER_ROUND; checked++) {
      const next = this.#next();
      if (!next) return;
      await this.#compare(next);
    }
  }

  async #announceAll(): Promise<void> {
    this.#lost = false;
    try {
      const { names } = this.#streams;
      for (let from = 0; from < names.length; from += CHECKS_PER_ROUND) {
        const streams = names
          .slice(from, from + CHECKS_PER_ROUND)
          .flatMap((name) => this.#streams.get(name) ?? []);
        await Promise.all(streams.map((stream) => this.#announce(stream)));
      }
      this.#log.warn(
        { streams: names.length },
        'all streams announced again: the registry may have lost some',
      );
    } catch (error) {
      this.#lost = true;
      throw error;
    }
  }

  /** What is refused is known there: it is seen why. */
  async #announce(stream: Stream): Promise<void> {
    const record = this.#record(stream);
    if (!record || (await this.#registry.reannounceStream(record)) || stream.ended) return;
    await this.#compare(stream);
  }

  #next(): Stream | undefined {
    const next = this.#round?.next();
    if (!next || next.done) {
      this.#round = this.#streams.names.values();
      return undefined;
    }
    return this.#streams.get(next.value);
  }

  async #compare(stream: Stream): Promise<void> {
    const record = await this.#registry.findStream(stream.name);
    if (stream.ended) return;
    if (record?.epoch === stream.epoch) {
      await this.#describe(stream, record);
    } else if (record && record.epoch > stream.epoch) {
      // On this node, the publish that goes with the claim is on its way.
      if (record.node !== this.#node) stream.displaced();
    } else {
      await this.#announceAgain(stream);
    }
  }

  /** Signaling does so with each publish, unless the registry was out of reach just then. */
  async #describe(stream: Stream, record: StreamRecord): Promise<void> {
    const { tracks } = stream.glance() ?? record;
    if (sameTracks(tracks, record.tracks)) return;
    await this.#registry.describeStream(stream.name, record.epoch, tracks);
  }

  async #announceAgain(stream: Stream): Promise<void> {
    const record = this.#record(stream);
    if (!record) return;
    const held = await this.#registry.reannounceStream(record);
    const { name, epoch } = record;
    this.#log.warn({ stream: name, epoch, held }, 'stream announced again: the registry had lost it');
    if (!held && !stream.ended) stream.displaced();
  }

  #record(stream: Stream): StreamRecord | undefined {
    const report = stream.glance();
    if (!report) return undefined;
    const { session, sinceMs, tracks, epoch } = report;
    const { name, subject } = stream;
    return { name, node: this.#node, epoch, session, subject, tracks, sinceMs };
  }
}

/** A registry may keep the fields of its records in another order. */
function sameTracks(a: readonly Track[], b: readonly Track[]): boolean {
  const key = (tracks: readonly Track[]) =>
    tracks.map(({ kind, codec, encodings }) => `${kind} ${codec} ${encodings}`).join();
  return key(a) === key(b);
}
