import type { Logger } from 'pino';
import {
  RECORDER_EXIT,
  type RecorderNotice,
  type RecorderOrders,
  type RecorderReport,
} from '../../../core/channel/recorder.ts';
import type { Peer } from '../../../core/channel/service.ts';
import { decide, type RecorderTask } from '../../../core/recording/decide.ts';
import { hasEnded } from '../../../core/recording/progress.ts';
import type { RecordingProgress, RecordingRecord, RecordingSpec } from '../../../core/recording/recording.ts';
import type { Registry } from '../../../core/registry/registry.ts';
import { conclude, forget, isOwn, REGISTRY_RETRY_MS, specOf, takeNext } from './entry.ts';
import { Expectation } from './expectation.ts';
import type { RecordingMetrics } from './metrics.ts';
import { RecorderProcess, type RecorderProgram, SUPERSEDED } from './recorder-process.ts';
import { StreamPresence } from './stream-presence.ts';

/** What all recordings of a home share. */
export interface RunContext {
  readonly registry: Registry;
  /** Name of this home. */
  readonly host: string;
  /** Address at which it serves recorders. */
  readonly address: string;
  readonly program: RecorderProgram;
  readonly token: (record: RecordingRecord) => Promise<string>;
  readonly log: Logger;
  readonly metrics: RecordingMetrics;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Whether an attempt may begin now; asked again soon where it may not. */
  readonly admits: (run: Run, todo: RecorderTask['todo']) => boolean;
  /** Deletes what storage has of it; never rejects. */
  readonly discard: (spec: RecordingSpec) => Promise<void>;
  /** It has ended, or another host has it. */
  readonly onOver: (run: Run) => void;
}

/** A host without a recorder says as often that it is there. */
const RENEW_EVERY_MS = 1000;

/** A recording whose recorders this process launches, from its entry in the registry to its end. */
export class Run {
  /** Found in storage or the registry, not begun here. */
  readonly adopted: boolean;
  /** Resolves when it has media; rejects never, and stays open where it ends without. */
  readonly started: Promise<RecordingRecord>;
  /** Resolves when it is completed or failed; undefined when another host took it. */
  readonly ended: Promise<RecordingRecord | undefined>;
  readonly expectation: Expectation;
  readonly #context: RunContext;
  readonly #stream: StreamPresence;
  readonly #recorders = new Map<number, RecorderProcess>();
  readonly #resolveStarted: (record: RecordingRecord) => void;
  readonly #resolveEnded: (record: RecordingRecord | undefined) => void;
  readonly #stored: number;
  #record: RecordingRecord;
  #stopping = false;
  #lastMediaAtMs: number;
  #exitedAtMs: number | undefined;
  #failures = 0;
  #durableMs = 0;
  #launching: Promise<void> | undefined;
  #cancelled = false;
  #saving = false;
  #savedAtMs: number;
  #stepAtMs = 0;
  #over = false;
  #leaving = false;

  /** @param stored the highest attempt that storage tells of, of an adopted one */
  constructor(record: RecordingRecord, context: RunContext, stored?: number) {
    this.adopted = stored !== undefined;
    this.#stored = stored ?? 0;
    this.#record = record;
    this.#stopping = record.progress.state === 'finishing';
    this.#context = context;
    this.expectation = new Expectation(context.now);
    this.#lastMediaAtMs = context.now();
    this.#savedAtMs = context.now();
    const started = Promise.withResolvers<RecordingRecord>();
    const ended = Promise.withResolvers<RecordingRecord | undefined>();
    this.started = started.promise;
    this.ended = ended.promise;
    this.#resolveStarted = started.resolve;
    this.#resolveEnded = ended.resolve;
    this.#stream = new StreamPresence(record.stream, context.registry, () => this.step());
  }

  get record(): RecordingRecord {
    return this.#record;
  }

  /** Whoever asked for it has not waited for its media, nor asked again. */
  get cancelled(): boolean {
    return this.#cancelled;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Whether a process works for it. */
  get isActive(): boolean {
    return this.#launching !== undefined || this.#recorders.size > 0;
  }

  stop(): void {
    this.#stopping = true;
    this.step();
  }

  /** Nobody waits for it any more, and nothing is to be left of it. */
  async cancel(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#cancelled = true;
    this.#stream.close();
    this.#context.log.warn(this.#logged(), 'recording without media is given up');
    await this.#launching;
    const recorders = [...this.#recorders.values()];
    for (const recorder of recorders) recorder.kill();
    await Promise.all(recorders.map((recorder) => recorder.exited));
    await this.#context.discard(specOf(this.#record));
    await forget(this.#context.registry, this.#record, this.#context.log);
    this.#context.metrics.forget(this.#record.id);
    this.#context.onOver(this);
    this.#resolveEnded(this.#record);
  }

  /** Does what is due, and renews the lease. To be called several times a second. */
  tick(): void {
    const nowMs = this.#context.now();
    const isBeginning = !this.adopted && !this.#stopping && this.#record.progress.startedAtMs === undefined;
    if (isBeginning && this.expectation.isForgotten) void this.cancel();
    else if (nowMs >= this.#stepAtMs) this.step();
    if (nowMs >= this.#savedAtMs + RENEW_EVERY_MS) void this.#save();
  }

  /** Time during which this process did not run says nothing of its recorders. */
  forgive(ms: number): void {
    const nowMs = this.#context.now();
    for (const recorder of this.#recorders.values()) {
      const { heardAtMs } = recorder;
      // One that was heard since has not been silent.
      if (heardAtMs !== undefined) recorder.heardAtMs = Math.min(nowMs, heardAtMs + ms);
    }
  }

  /** A recorder's word. @returns what it is to do */
  hear(report: RecorderReport, peer: Peer<RecorderNotice>): RecorderOrders {
    const recorder = this.#recorders.get(report.attempt);
    if (recorder === undefined || (this.#over && !this.#leaving)) return SUPERSEDED;
    const nowMs = this.#context.now();
    recorder.heardAtMs = nowMs;
    recorder.report = report;
    this.#context.metrics.reported(report);
    if (recorder.peer !== peer) {
      recorder.peer = peer;
      peer.onClose(() => {
        if (recorder.peer === peer) recorder.peer = undefined;
      });
    }
    this.#lastMediaAtMs = Math.max(this.#lastMediaAtMs, nowMs - report.silentMs);
    if (report.attempt === this.#record.attempt) this.#learn(report.progress);
    this.step();
    return recorder.orders;
  }

  step(): void {
    if (this.#over) return;
    const { now, log, admits } = this.#context;
    const nowMs = now();
    const decision = decide({
      nowMs,
      attempt: this.#record.attempt,
      stopping: this.#stopping,
      streamPresent: this.#stream.present,
      lastMediaAtMs: this.#lastMediaAtMs,
      resumeMs: this.#record.limits.resumeMs,
      recorders: [...this.#recorders.values()].map((recorder) => recorder.facts),
      ...(this.#exitedAtMs !== undefined && { endedAtMs: this.#exitedAtMs }),
      failures: this.#failures,
    });
    if (decision.stopping && !this.#stopping) log.info(this.#logged(), 'recording ends');
    this.#stopping = decision.stopping;
    this.#stepAtMs = decision.againAtMs;
    if (decision.ended !== undefined) {
      this.#finish();
      return;
    }
    for (const attempt of decision.kill) {
      log.warn({ ...this.#logged(), attempt }, 'recorder is silent; killed');
      this.#gone(attempt, true);
    }
    for (const { attempt, ...task } of decision.orders) {
      this.#recorders.get(attempt)?.order({ ...task, source: this.#stream.source }, nowMs);
    }
    if (decision.launch === undefined || this.#launching !== undefined) return;
    if (admits(this, decision.launch.todo)) {
      this.#launching = this.#launch(decision.launch).finally(() => {
        this.#launching = undefined;
      });
    } else this.#stepAtMs = nowMs + REGISTRY_RETRY_MS;
  }

  /** This process ends: recorders make everything durable and go. Resolves when they have. */
  async leave(): Promise<void> {
    this.#over = true;
    this.#leaving = true;
    this.#stream.close();
    const recorders = [...this.#recorders.values()];
    for (const recorder of recorders) recorder.disconnect();
    await Promise.all(recorders.map((recorder) => recorder.exited));
  }

  async #launch(task: Omit<RecorderTask, 'attempt'>): Promise<void> {
    const { registry, host, address, program, token, now, log } = this.#context;
    try {
      const taken = await takeNext(registry, host, this.#record, this.#stored);
      if (taken === undefined) return this.#lose();
      this.#record = taken;
      const signed = await token(taken);
      if (this.#over) return;
      const { attempt } = taken;
      const orders = { ...task, source: this.#stream.source };
      const recorder = new RecorderProcess({
        program,
        attempt: { spec: specOf(taken), attempt, home: address, orders },
        token: signed,
        nowMs: now(),
        onExit: (code, signal) => this.#exited(attempt, code, signal),
      });
      this.#recorders.set(attempt, recorder);
      this.#context.metrics.started.inc();
      log.info({ ...this.#logged(), todo: task.todo, pid: recorder.pid }, 'recorder started');
    } catch (error) {
      log.warn({ ...this.#logged(), err: error }, 'a recorder cannot be started now');
      this.#stepAtMs = now() + REGISTRY_RETRY_MS;
    }
  }

  #exited(attempt: number, code: number | null, signal: string | null): void {
    if (!this.#recorders.has(attempt)) return;
    if (this.#over) {
      this.#recorders.delete(attempt);
      return;
    }
    const died = code === null || !Object.values<number>(RECORDER_EXIT).includes(code);
    this.#context.log[died ? 'warn' : 'info'](
      { ...this.#logged(), attempt, code, signal },
      died ? 'recorder died' : 'recorder ended',
    );
    // What was launched may be killed in its middle: its children are in its group.
    this.#gone(attempt, died);
    this.step();
  }

  #gone(attempt: number, kill: boolean): void {
    const recorder = this.#recorders.get(attempt);
    if (recorder === undefined) return;
    if (kill) {
      recorder.kill();
      this.#context.metrics.died.inc();
    }
    this.#recorders.delete(attempt);
    this.#exitedAtMs = this.#context.now();
    const durableMs = recorder.report?.progress.durableMs ?? 0;
    this.#failures = durableMs > this.#durableMs || recorder.report?.leaving ? 0 : this.#failures + 1;
    this.#durableMs = Math.max(this.#durableMs, durableMs);
  }

  #learn(progress: RecordingProgress): void {
    const before = this.#record.progress;
    // A successor knows nothing before it has read what its predecessor left.
    const known = progress.state === 'starting' && before.startedAtMs !== undefined;
    const { message: _, ...kept } = before;
    this.#record = {
      ...this.#record,
      progress: known
        ? { ...kept, ...(progress.message !== undefined && { message: progress.message }) }
        : progress,
    };
    this.#context.metrics.progressed(this.#record.id, this.#record.progress);
    if (this.#record.progress.startedAtMs !== undefined) this.#resolveStarted(this.#record);
    const urgent = progress.state !== before.state || this.#context.now() >= this.#savedAtMs + RENEW_EVERY_MS;
    if (urgent && !hasEnded(progress)) void this.#save();
  }

  /** One at a time; what is said meanwhile goes with the next. */
  async #save(): Promise<void> {
    if (this.#saving || this.#over) return;
    this.#saving = true;
    this.#savedAtMs = this.#context.now();
    const { id, attempt, progress } = this.#record;
    try {
      const saved = await this.#context.registry.saveRecording(id, attempt, progress);
      if (!saved && !(await this.isOwn()) && attempt === this.#record.attempt && !this.#launching)
        this.#lose();
    } catch (error) {
      // The registry is away: recorders go on with what they were told.
      this.#context.log.debug({ ...this.#logged(), err: error }, 'progress not saved');
    } finally {
      this.#saving = false;
    }
  }

  /** @throws MillraceError `registry_unavailable` */
  isOwn(): Promise<boolean> {
    const { registry, host } = this.#context;
    return isOwn(registry, host, this.#record);
  }

  /** Another host has it, or has ended it. */
  #lose(): void {
    if (this.#over) return;
    this.#over = true;
    this.#stream.close();
    this.#context.log.warn(this.#logged(), 'recording is in other hands');
    for (const recorder of this.#recorders.values()) recorder.order(SUPERSEDED, this.#context.now());
    this.#context.metrics.forget(this.#record.id);
    this.#resolveEnded(undefined);
    this.#context.onOver(this);
  }

  #finish(): void {
    this.#over = true;
    this.#stream.close();
    const { progress } = this.#record;
    this.#context.metrics.ended.inc({ outcome: progress.state });
    this.#context.metrics.forget(this.#record.id);
    const { state, bytes, receivedMs, gaps, message } = progress;
    const told = { ...this.#logged(), bytes, durationMs: receivedMs, gaps: gaps.count };
    if (state === 'completed') this.#context.log.info(told, 'recording completed');
    else this.#context.log.error({ ...told, why: message }, 'recording failed');
    void this.#conclude();
  }

  async #conclude(): Promise<void> {
    const { registry, log } = this.#context;
    await conclude(registry, this.#record, log, () => this.#resolveEnded(this.#record));
    this.#context.onOver(this);
  }

  #logged(): { recording: string; stream: string; attempt: number } {
    const { id, stream, attempt } = this.#record;
    return { recording: id, stream, attempt };
  }
}
