import type { Logger } from 'pino';
import type { Registry as MetricsRegistry } from 'prom-client';
import type { RecorderCalls, RecorderNotice, RecorderOrders } from '../../../core/channel/recorder.ts';
import type { Serve } from '../../../core/channel/service.ts';
import { MillraceError } from '../../../core/protocol/error.ts';
import type { StreamName } from '../../../core/protocol/stream-name.ts';
import type { RecorderLauncher, RecordingRequest } from '../../../core/recording/launcher.ts';
import { hasEnded } from '../../../core/recording/progress.ts';
import {
  attemptOf,
  type RecordingId,
  type RecordingLimits,
  type RecordingRecord,
  type RecordingSpec,
} from '../../../core/recording/recording.ts';
import type { RecordingStorage } from '../../../core/recording/storage.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import { Adoption } from './adoption.ts';
import { within } from './deadline.ts';
import { Inheritance } from './inheritance.ts';
import { RecordingMetrics } from './metrics.ts';
import { newSpec } from './new-spec.ts';
import { recordableStream } from './recordable-stream.ts';
import { type RecorderProgram, SUPERSEDED } from './recorder-process.ts';
import { Run, type RunContext } from './run.ts';

export interface ChildLauncherSettings {
  /** Name of this process in the registry. */
  readonly host: string;
  /** Recordings at once. */
  readonly maxRecordings: number;
  readonly limits: RecordingLimits;
  readonly sidecar: boolean;
}

export interface ChildLauncherDeps {
  readonly registry: Registry;
  readonly storage: RecordingStorage;
  /** Which store that is, where other processes share the registry. @throws MillraceError `storage_unavailable` */
  readonly store?: () => Promise<string>;
  /** Where recorders reach this process. */
  readonly address: string;
  readonly program: RecorderProgram;
  /** With which a recorder opens channels. */
  readonly token: (recording: RecordingSpec) => Promise<string>;
  readonly log: Logger;
  readonly metrics: MetricsRegistry;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Unix time in ms. */
  readonly wallClock: () => number;
}

const TICK_MS = 250;
/** A tick that is later by this much says that this process, or the machine, stood still. */
const STALL_MS = 200;
/** Processes at once that complete files which nobody waits for. */
const MAX_ADOPTED_FINISHING = 2;
/** For what was begun and given up to be deleted. */
const DISCARD_TIMEOUT_MS = 10_000;

/** Recorders as child processes of this one, which outlive it long enough to lose nothing. */
export class ChildLauncher implements RecorderLauncher {
  readonly #settings: ChildLauncherSettings;
  readonly #deps: ChildLauncherDeps;
  readonly #context: RunContext;
  readonly #adoption: Adoption;
  readonly #inheritance: Inheritance | undefined;
  readonly #runs = new Map<RecordingId, Run>();
  /** Whose key is not yet taken for good, by stream, key and subject; counted with the others. */
  readonly #beginning = new Map<string, Promise<Run>>();
  readonly #entering = new Set<RecordingId>();
  readonly #listeners = new Set<{ readonly tell: (record: RecordingRecord) => void }>();
  #ticker: NodeJS.Timeout | undefined;
  #tickedAtMs = 0;
  #closed = false;

  constructor(settings: ChildLauncherSettings, deps: ChildLauncherDeps) {
    this.#settings = settings;
    this.#deps = deps;
    const { registry, address, program, token, now, log } = deps;
    this.#context = {
      registry,
      host: settings.host,
      address,
      program,
      token,
      now,
      log,
      metrics: new RecordingMetrics(deps.metrics, () =>
        [...this.#runs.values()].map(({ record }) => record.progress),
      ),
      admits: (run, todo) => this.#admits(run, todo),
      discard: (spec) => this.#discard(spec),
      onOver: (run) => this.#runs.delete(run.record.id),
    };
    const adopting = {
      ...deps,
      host: settings.host,
      has: (id: RecordingId) => this.#runs.has(id) || this.#entering.has(id),
      adopt: (record: RecordingRecord, stored: number) => void this.#begin(record, stored),
      room: () => this.#room,
    };
    this.#adoption = new Adoption(adopting);
    const { store } = deps;
    this.#inheritance = store && new Inheritance({ ...adopting, store });
  }

  /** Begins to look after recordings: those that are asked for, and those that were left unfinished. */
  open(): void {
    this.#tickedAtMs = this.#deps.now();
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    this.#adoption.open();
    this.#inheritance?.open();
  }

  /** Recorders make everything durable and go; the files are completed by whoever comes next. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#ticker);
    this.#adoption.close();
    this.#inheritance?.close();
    await Promise.all([...this.#runs.values()].map((run) => run.leave()));
  }

  /** What recorders are answered. */
  readonly serve: Serve<RecorderCalls, RecorderNotice> = (peer) => ({
    report: async (report) => {
      this.#demandOwn(peer.identity.recording, report.recording);
      return this.#runs.get(report.recording)?.hear(report, peer) ?? SUPERSEDED;
    },
    finish: async ({ recording, epoch }) => {
      this.#demandOwn(peer.identity.recording, recording);
      return { granted: await this.#grant(recording, attemptOf(epoch)) };
    },
  });

  async #grant(id: RecordingId, attempt: number): Promise<boolean> {
    const { registry } = this.#deps;
    if (await registry.grantFinish(id, attempt)) return true;
    // A registry that has lost everything denies what it would have granted.
    const run = this.#runs.get(id);
    return run?.record.attempt === attempt && (await run.isOwn()) && registry.grantFinish(id, attempt);
  }

  async start(request: RecordingRequest): Promise<RecordingRecord> {
    const deadlineMs = this.#deps.now() + request.timeoutMs;
    const left = () => Math.max(1, Math.round(deadlineMs - this.#deps.now()));
    this.#demandOpen();
    const same = this.#sameAs(request);
    if (same !== undefined && !same.cancelled) return this.#awaitMedia(same, left());
    const late = () => noMedia(request.stream, request.timeoutMs);
    // What is left of an attempt that came to nothing keeps the name until it is gone.
    if (same !== undefined) await within(left(), same.ended, late);
    const identity = JSON.stringify([request.stream, request.key, request.subject]);
    let beginning = this.#beginning.get(identity);
    if (beginning === undefined) {
      this.#demandRoom();
      beginning = this.#enter(request, left()).finally(() => this.#beginning.delete(identity));
      this.#beginning.set(identity, beginning);
    }
    const run = await within(left(), beginning, late);
    return this.#awaitMedia(run, left());
  }

  async stop(
    ids: readonly RecordingId[],
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<readonly RecordingRecord[]> {
    const late = () =>
      new MillraceError(
        'timed_out',
        `not complete within ${timeoutMs} ms; it is being completed all the same, ask again`,
      );
    return within(timeoutMs, Promise.all(ids.map((id) => this.#stopOne(id))), late);
  }

  async list(page: Parameters<RecorderLauncher['list']>[0]): Promise<readonly RecordingRecord[]> {
    const records = await this.#deps.registry.recordings(page);
    return records.map((record) => this.#runs.get(record.id)?.record ?? record);
  }

  async find(id: RecordingId): Promise<RecordingRecord | undefined> {
    return this.#runs.get(id)?.record ?? this.#deps.registry.findRecording(id);
  }

  onEnded(listener: (record: RecordingRecord) => void): () => void {
    const entry = { tell: listener };
    this.#listeners.add(entry);
    return () => this.#listeners.delete(entry);
  }

  get #room(): number {
    return this.#settings.maxRecordings - this.#runs.size - this.#beginning.size;
  }

  #demandRoom(): void {
    const { maxRecordings } = this.#settings;
    if (this.#room > 0) return;
    throw new MillraceError(
      'too_many',
      `${maxRecordings} recordings run already, the most that this server makes at once; stop one first`,
    );
  }

  /** One that ends is no longer the one that was asked for, unless it never began. */
  #sameAs({ stream, key, subject }: RecordingRequest): Run | undefined {
    for (const run of this.#runs.values()) {
      const { record } = run;
      if (record.stream !== stream || record.key !== key || record.subject !== subject) continue;
      if (run.cancelled || (!run.stopping && !hasEnded(record.progress))) return run;
    }
    return undefined;
  }

  /** Takes the key, in the registry and in storage. */
  async #enter(request: RecordingRequest, timeoutMs: number): Promise<Run> {
    const { registry, storage, store, now } = this.#deps;
    const deadlineMs = now() + timeoutMs;
    const spec = newSpec(request, this.#settings, { store: await store?.(), nowMs: this.#deps.wallClock() });
    await recordableStream(spec.stream, registry, timeoutMs);
    // A sweep that sees it in storage meanwhile is to leave it alone.
    this.#entering.add(spec.id);
    try {
      const result = await registry.enterRecording(spec, this.#settings.host);
      if (!result.entered) {
        const text = `a recording of "${result.holder.stream}" has the name "${spec.key}"; choose another`;
        throw new MillraceError('name_taken', text);
      }
      try {
        // What hinders storage is to be told before whoever asked has given up.
        const leftMs = Math.round(deadlineMs - now() - timeoutMs / 4);
        await storage.reserve(spec, { timeoutMs: Math.max(1, leftMs) });
        this.#demandOpen();
      } catch (error) {
        await registry.forgetRecording(spec.id, 0).catch(() => false);
        void this.#discard(spec);
        throw error;
      }
      return this.#begin(result.record);
    } finally {
      this.#entering.delete(spec.id);
    }
  }

  async #discard(spec: RecordingSpec): Promise<void> {
    const { storage, log } = this.#deps;
    try {
      await storage.discard(spec, { timeoutMs: DISCARD_TIMEOUT_MS });
    } catch (error) {
      log.warn({ recording: spec.id, err: error }, 'something was perhaps left; the next sweep finds it');
    }
  }

  #begin(record: RecordingRecord, stored?: number): Run {
    const run = new Run(record, this.#context, stored);
    this.#runs.set(record.id, run);
    const { id, stream, key, subject } = record;
    this.#deps.log.info(
      { recording: id, stream, key, subject, adopted: run.adopted },
      run.adopted ? 'unfinished recording found' : 'recording begins',
    );
    void run.ended.then((ended) => {
      if (ended === undefined || run.cancelled) return;
      for (const { tell } of this.#listeners) tell(ended);
    });
    run.step();
    return run;
  }

  async #awaitMedia(run: Run, timeoutMs: number): Promise<RecordingRecord> {
    const late = () => noMedia(run.record.stream, timeoutMs);
    const ended = run.ended.then((record) => {
      if (record?.progress.startedAtMs !== undefined) return record;
      const why = record?.progress.message ?? 'another server has it now';
      throw new MillraceError('timed_out', `the recording ended before it had media: ${why}`);
    });
    // Whichever comes second is of no interest.
    ended.catch(() => {});
    const done = run.expectation.begin();
    try {
      return await within(timeoutMs, Promise.race([run.started, ended]), late);
    } finally {
      done();
    }
  }

  async #stopOne(id: RecordingId): Promise<RecordingRecord> {
    if (!this.#runs.has(id)) await this.#inheritance?.takeOver(id);
    const run = this.#runs.get(id);
    run?.stop();
    const record = (await run?.ended) ?? (await this.#deps.registry.findRecording(id));
    if (record !== undefined && hasEnded(record.progress)) return record;
    throw new MillraceError(
      'recording_not_running',
      record === undefined
        ? `there is no recording "${id}"`
        : `recording "${id}" is in the hands of another server, "${record.host}"`,
    );
  }

  /** Finished one after another, files that nobody waits for cost no recording its share of the machine. */
  #admits(run: Run, todo: RecorderOrders['todo']): boolean {
    if (this.#closed) return false;
    if (!run.adopted || todo !== 'stop') return true;
    const finishing = [...this.#runs.values()].filter(
      (other) => other.adopted && other.stopping && other.isActive,
    );
    return finishing.length < MAX_ADOPTED_FINISHING;
  }

  #tick(): void {
    const nowMs = this.#deps.now();
    const stalledMs = nowMs - this.#tickedAtMs - TICK_MS;
    this.#tickedAtMs = nowMs;
    for (const run of this.#runs.values()) {
      if (stalledMs > STALL_MS) run.forgive(stalledMs);
      run.tick();
    }
  }

  #demandOpen(): void {
    if (this.#closed) throw new MillraceError('shutting_down', 'this server is shutting down; try again');
  }

  #demandOwn(own: RecordingId | undefined, asked: RecordingId): void {
    if (own === undefined || own === asked) return;
    throw new MillraceError('not_authorised', 'the token is for another recording');
  }
}

function noMedia(stream: StreamName, timeoutMs: number): MillraceError {
  const text = `no media of "${stream}" came within ${Math.round(timeoutMs)} ms; see that it is sent, and try again: it goes on to begin for a while`;
  return new MillraceError('timed_out', text);
}
