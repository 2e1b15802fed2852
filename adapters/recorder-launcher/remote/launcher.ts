import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { RecordingChannel } from '../../../core/channel/recordings.ts';
import { MillraceError } from '../../../core/protocol/error.ts';
import type { RecorderLauncher, RecordingRequest } from '../../../core/recording/launcher.ts';
import { hasEnded } from '../../../core/recording/progress.ts';
import type { RecordingId, RecordingRecord } from '../../../core/recording/recording.ts';
import type { NodeEntry, NodeId } from '../../../core/registry/record.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import { Ends } from './ends.ts';
import { Hosts } from './hosts.ts';

export interface RemoteLauncherDeps {
  readonly registry: Registry;
  /** This process, as it reports to the registry. */
  readonly name: string;
  /** Opens a channel to a process that runs recordings. */
  readonly connect: (node: NodeEntry) => RecordingChannel;
  /** Which store finished files are read from here. @throws MillraceError `storage_unavailable` */
  readonly store: () => Promise<string>;
  readonly log: Logger;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

/** Until a recording whose host died is asked for again. */
const RETRY_MS = 250;
/** A host answers before its caller gives up. */
const MARGIN_MS = 250;
/** Recordings of one stream that are looked through for the one that is asked for again. */
const MAX_OF_STREAM = 1000;

/**
 * Recordings that other processes run: those with media servers, the stream's own first. Any process can start
 * and stop any of them, as the registry says who has which.
 */
export class RemoteLauncher implements RecorderLauncher {
  readonly #deps: RemoteLauncherDeps;
  readonly #hosts: Hosts;
  readonly #ends: Ends;

  constructor(deps: RemoteLauncherDeps) {
    this.#deps = deps;
    this.#ends = new Ends({
      find: (id) => deps.registry.findRecording(id),
      isLinked: (host) => this.#hosts.isLinked(host),
    });
    this.#hosts = new Hosts({
      ...deps,
      onNotice: ({ record }) => this.#ends.tell(record),
      onLost: (node) => this.#ends.doubt(node),
      onDead: (node) => this.#reportDead(node),
      onLook: () => void this.#ends.check(),
    });
  }

  /** Listens to those that run recordings, whoever began them. */
  open(): void {
    this.#hosts.open();
  }

  close(): void {
    this.#hosts.close();
  }

  async start(request: RecordingRequest): Promise<RecordingRecord> {
    const deadlineMs = this.#deps.now() + request.timeoutMs;
    const left = () => Math.round(deadlineMs - this.#deps.now());
    const store = await this.#deps.store();
    const running = await this.#runningAs(request);
    if (running?.progress.startedAtMs !== undefined) return running;
    let trouble: unknown;
    for (const node of await this.#hostsFor(request, running?.host)) {
      const timeoutMs = left();
      const channel = this.#hosts.channelTo(node);
      if (channel === undefined || timeoutMs <= 0) continue;
      const asked = { ...request, store, timeoutMs: Math.max(1, timeoutMs - MARGIN_MS) };
      try {
        const record = await channel.call('start', asked, { timeoutMs });
        this.#ends.follow(record);
        return record;
      } catch (error) {
        if (!isNodesOwn(error)) throw error;
        trouble = error;
      }
    }
    throw trouble ?? new MillraceError('no_media_server', 'no media server can be reached; try again');
  }

  async stop(
    ids: readonly RecordingId[],
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<readonly RecordingRecord[]> {
    const deadlineMs = this.#deps.now() + timeoutMs;
    return Promise.all(ids.map((id) => this.#stopOne(id, deadlineMs)));
  }

  list(page: Parameters<RecorderLauncher['list']>[0]): Promise<readonly RecordingRecord[]> {
    return this.#deps.registry.recordings(page);
  }

  find(id: RecordingId): Promise<RecordingRecord | undefined> {
    return this.#deps.registry.findRecording(id);
  }

  onEnded(listener: (record: RecordingRecord) => void): () => void {
    return this.#ends.listen(listener);
  }

  /** So that its recordings are taken over at once. */
  #reportDead(node: NodeId): void {
    const { registry, name, log } = this.#deps;
    registry
      .reportDeadNode(node, name)
      .catch((error: unknown) => log.debug({ node, err: error }, 'a dead host could not be reported'));
  }

  /** A retry may come to another process than the first try did. */
  async #runningAs({ stream, key, subject }: RecordingRequest): Promise<RecordingRecord | undefined> {
    const known = await this.#deps.registry.recordings({ stream, limit: MAX_OF_STREAM });
    return known.find(
      (record) =>
        record.key === key &&
        record.subject === subject &&
        (record.progress.state === 'starting' || record.progress.state === 'recording'),
    );
  }

  /** Who is to be asked, the best first. @throws MillraceError `stream_not_found`, `registry_unavailable` */
  async #hostsFor({ stream: name }: RecordingRequest, running?: string): Promise<readonly NodeEntry[]> {
    const stream = await this.#deps.registry.findStream(name);
    if (stream === undefined) {
      throw new MillraceError('stream_not_found', `nobody publishes "${name}"; publish it first`);
    }
    const alive = await this.#hosts.look();
    const rank = ({ id, state }: NodeEntry) =>
      id === running ? 0 : id === stream.node ? 1 : state === 'ready' ? 2 : 3;
    return alive.toSorted((a, b) => rank(a) - rank(b) || a.load - b.load);
  }

  async #stopOne(id: RecordingId, deadlineMs: number): Promise<RecordingRecord> {
    for (;;) {
      const record = await this.#deps.registry.findRecording(id);
      if (record === undefined) {
        throw new MillraceError('recording_not_running', `there is no recording "${id}"`);
      }
      if (hasEnded(record.progress)) {
        this.#ends.tell(record);
        return record;
      }
      this.#ends.follow(record);
      const timeoutMs = Math.round(deadlineMs - this.#deps.now());
      if (timeoutMs <= RETRY_MS) throw late();
      const stopped = await this.#askToStop(record, timeoutMs);
      if (stopped !== undefined) return stopped;
      await sleep(RETRY_MS);
    }
  }

  /** @returns undefined when it is to be asked again: it is in no living hands yet */
  async #askToStop(record: RecordingRecord, timeoutMs: number): Promise<RecordingRecord | undefined> {
    const alive = await this.#hosts.look();
    const host = alive.find(({ id }) => id === record.host) ?? alive.toSorted((a, b) => a.load - b.load)[0];
    const channel = host && this.#hosts.channelTo(host);
    if (channel === undefined) return undefined;
    try {
      const asked = { recording: record.id, timeoutMs: Math.max(1, timeoutMs - MARGIN_MS) };
      return await channel.call('stop', asked, { timeoutMs });
    } catch (error) {
      if (isNodesOwn(error) || nameOf(error) === 'recording_not_running') return undefined;
      throw nameOf(error) === 'timed_out' ? late() : error;
    }
  }
}

/** Another one may do what this one cannot. */
function isNodesOwn(error: unknown): boolean {
  const name = nameOf(error);
  return name === 'no_media_server' || name === 'too_many' || name === 'shutting_down';
}

function nameOf(error: unknown): string | undefined {
  return error instanceof MillraceError ? error.errorName : undefined;
}

function late(): MillraceError {
  return new MillraceError(
    'timed_out',
    'the recording is not complete yet; it is being completed all the same, ask again',
  );
}
