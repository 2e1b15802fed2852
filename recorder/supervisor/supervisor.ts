import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  RECORDER_EXIT,
  type RecorderAttempt,
  type RecorderChannel,
  type RecorderOrders,
  type RecorderReport,
} from '../../core/channel/recorder.ts';
import { type RecordingEpoch, recordingEpoch } from '../../core/recording/recording.ts';
import type {
  FatalEvent,
  MuxerMode,
  MuxerNotice,
  MuxerOrder,
  ReceiverNotice,
  ReceiverOrder,
} from '../supervisor-message.ts';
import { Findings } from './findings.ts';
import { Home } from './home.ts';
import { Part } from './part.ts';
import { SourceSocket } from './source-socket.ts';

const TICK_MS = 250;
/** A tick that is later by this much says that this process, or the machine, stood still. */
const STALL_MS = 200;
/** What there is to be made durable before it goes without a successor, or without a home. */
const LEAVE_MS = 10_000;
/** What a successor may take to have media, where home says nothing of it. */
const HAND_OVER_MS = 20_000;
/** A new muxer is told to flush when it has what the receiver kept, or after this. */
const REPLAY_MS = 2000;
/** After a muxer that said why it cannot go on. */
const HINDERED_MS = 1000;
/** A muxer is told of that many events that others died of. */
const MAX_FATAL = 16;
/** For home to hear how it ended. */
const LAST_WORD_MS = 10_000;

export interface SupervisorOptions {
  readonly attempt: RecorderAttempt;
  /** How this program is started: the runtime with its flags, and the program's file. */
  readonly program: readonly [string, ...string[]];
  /** Opens the channel to home. */
  readonly connect: () => RecorderChannel;
  readonly log: Logger;
  /** Milliseconds that never go back. */
  readonly now: () => number;
}

type Phase =
  | 'recording'
  /** All that was received is being made durable; then it goes, or completes the file. */
  | 'flushing'
  /** Home is asked whether this attempt may complete the file. */
  | 'asking'
  | 'finishing'
  | 'ended';

/** One attempt at one recording: keeps receiver and muxer running, and does what home says. */
export class Supervisor {
  /** Resolves with the exit code, see `RECORDER_EXIT`, when everything it started has ended. */
  readonly ended: Promise<number>;
  readonly #options: SupervisorOptions;
  readonly #socket: SourceSocket;
  readonly #receiver: Part<ReceiverOrder, ReceiverNotice>;
  readonly #muxer: Part<MuxerOrder, MuxerNotice>;
  readonly #home: Home;
  readonly #resolve: (code: number) => void;
  readonly #ticker: NodeJS.Timeout;
  #tickedAtMs: number;
  #phase: Phase = 'recording';
  #orders: RecorderOrders;
  /** It goes when all is durable, and completes nothing. */
  #departing = false;
  #leaving = false;
  /** It goes by then whatever the state of things. */
  #goneAtMs = Number.POSITIVE_INFINITY;
  #flushAtMs: number | undefined;
  #muxers = 0;
  #endState: 'completed' | 'failed' | undefined;
  /** What muxers died of, for those that come after. */
  #fatal: readonly FatalEvent[] = [];
  readonly #findings: Findings;

  constructor(options: SupervisorOptions) {
    const { attempt, program, connect, log, now } = options;
    const { promise, resolve } = Promise.withResolvers<number>();
    this.ended = promise;
    this.#resolve = resolve;
    this.#options = options;
    this.#orders = attempt.orders;
    this.#findings = new Findings(now);
    this.#tickedAtMs = now();
    this.#socket = new SourceSocket(attempt.spec.id, attempt.attempt);
    const common = { log, now };
    this.#receiver = new Part<ReceiverOrder, ReceiverNotice>({
      ...common,
      name: 'receiver',
      command: [...program, 'recorder-receiver'],
      firstOrder: () => this.#receiverStart(),
      onNotice: (notice) => this.#fromReceiver(notice),
      onDied: () => this.#tellIf(this.#findings.receiverLost()),
    });
    this.#muxer = new Part<MuxerOrder, MuxerNotice>({
      ...common,
      name: 'muxer',
      command: [...program, 'recorder-muxer'],
      firstOrder: () => this.#muxerStart(),
      onNotice: (notice) => this.#fromMuxer(notice),
      onDied: () => {
        // What has been granted or not decides what the next one is to do.
        if (this.#phase === 'asking') this.#muxer.stop();
      },
    });
    this.#home = new Home({
      now,
      connect,
      recording: attempt.spec.id,
      report: () => this.#report(),
      onOrders: (orders) => this.#obey(orders),
    });
    this.#ticker = setInterval(() => this.#tick(), TICK_MS);
    if (attempt.orders.todo === 'record') {
      this.#receiver.start();
      this.#muxer.start();
    } else this.#ask();
    this.#home.tick();
  }

  /** It must go (SIGTERM): a successor is asked for, and given time. */
  leave(): void {
    if (this.#leaving || this.#phase === 'ended') return;
    this.#leaving = true;
    this.#goneAtMs = this.#options.now() + HAND_OVER_MS + LEAVE_MS;
    this.#options.log.info('recorder leaves; a successor is asked for');
    this.#home.changed();
  }

  /** Whoever launched it is gone: nobody asks for a successor, whoever comes finds everything in storage. */
  homeLost(): void {
    if (this.#phase === 'ended') return;
    this.#options.log.info('home is gone; the recorder makes everything durable and goes');
    this.#depart();
  }

  #tick(): void {
    const nowMs = this.#options.now();
    const stalledMs = nowMs - this.#tickedAtMs - TICK_MS;
    this.#tickedAtMs = nowMs;
    if (stalledMs > STALL_MS) for (const part of [this.#receiver, this.#muxer]) part.forgive(stalledMs);
    if (nowMs >= this.#goneAtMs) {
      this.#end(RECORDER_EXIT.left);
      return;
    }
    if (this.#leaving && !this.#departing && nowMs >= this.#goneAtMs - LEAVE_MS) this.#depart();
    if (this.#flushAtMs !== undefined && nowMs >= this.#flushAtMs) this.#flush();
    this.#receiver.tick();
    this.#muxer.tick();
    this.#home.tick();
  }

  #obey(orders: RecorderOrders): void {
    // What it is about to do is right whatever home says.
    if (this.#phase === 'ended' || this.#departing) return;
    const before = this.#orders;
    this.#orders = orders;
    if (orders.todo === 'superseded') {
      this.#options.log.info('another attempt has taken over');
      this.#end(RECORDER_EXIT.left);
      return;
    }
    const { source } = orders;
    if (source?.address !== before.source?.address || source?.epoch !== before.source?.epoch) {
      this.#receiver.send({ type: 'source', source });
    }
    if (before.waitForPredecessor && !orders.waitForPredecessor) this.#muxer.send({ type: 'write' });
    if (orders.handOver) this.#depart();
    if (this.#phase !== 'recording') return;
    // A muxer that waits has nothing of its own: the file is its predecessor's until that has gone.
    if (orders.todo === 'stop' && !orders.waitForPredecessor) this.#beginFlush();
  }

  #depart(): void {
    if (this.#departing) return;
    this.#departing = true;
    this.#goneAtMs = Math.min(this.#goneAtMs, this.#options.now() + LEAVE_MS);
    if (this.#phase === 'recording') this.#beginFlush();
    else if (this.#phase === 'asking') this.#end(RECORDER_EXIT.left);
  }

  #beginFlush(): void {
    this.#phase = 'flushing';
    this.#flush();
    this.#home.changed();
  }

  #flush(): void {
    this.#flushAtMs = undefined;
    this.#muxer.send({ type: 'flush' });
  }

  #flushed(): void {
    if (this.#phase !== 'flushing') return;
    this.#receiver.stop();
    if (this.#departing) this.#end(RECORDER_EXIT.left);
    else void this.#ask();
  }

  /** Asks until there is an answer; while there is none, everything is durable and nothing is lost by waiting. */
  async #ask(): Promise<void> {
    this.#phase = 'asking';
    this.#home.changed();
    while (this.#phase === 'asking') {
      const granted = await this.#home.finish(this.#epoch);
      if (this.#phase !== 'asking') return;
      if (granted === false) return this.#end(RECORDER_EXIT.left);
      if (granted === true) break;
      await sleep(HINDERED_MS, undefined, { ref: false });
    }
    if (this.#phase !== 'asking') return;
    this.#phase = 'finishing';
    if (this.#muxer.isRunning) this.#muxer.send({ type: 'finish' });
    else this.#muxer.start();
  }

  get #epoch(): RecordingEpoch {
    return recordingEpoch(this.#options.attempt.attempt, Math.max(0, this.#muxers - 1));
  }

  #receiverStart(): ReceiverOrder {
    this.#socket.remove();
    const { stream } = this.#options.attempt.spec;
    return { type: 'start', stream, socketPath: this.#socket.path, source: this.#orders.source };
  }

  #muxerStart(): MuxerOrder {
    const mode = this.#muxerMode();
    this.#muxers += 1;
    // The one before may have died with less made durable than its successor finds at the receiver.
    if (this.#phase === 'flushing') this.#flushAtMs = this.#options.now() + REPLAY_MS;
    const { spec } = this.#options.attempt;
    const { path: socketPath } = this.#socket;
    return { type: 'start', spec, epoch: this.#epoch, socketPath, mode, fatal: this.#fatal };
  }

  #muxerMode(): MuxerMode {
    if (this.#phase === 'finishing') return 'finish';
    return this.#orders.waitForPredecessor ? 'wait' : 'record';
  }

  #fromReceiver(notice: ReceiverNotice): void {
    if (notice.type === 'alive') this.#tellIf(this.#findings.received(notice));
  }

  #tellIf(changed: boolean): void {
    if (changed) this.#home.changed();
  }

  #fromMuxer(notice: MuxerNotice): void {
    switch (notice.type) {
      case 'progress': {
        const changed = this.#findings.progressed(notice.progress);
        if (notice.storage) this.#findings.took(notice.storage);
        // It has what the receiver kept for it.
        if (this.#flushAtMs !== undefined && notice.progress.state === 'recording') this.#flush();
        this.#tellIf(changed);
        return;
      }
      case 'limit':
        this.#options.log.info('the longest duration is reached');
        if (this.#phase === 'recording') this.#beginFlush();
        return;
      case 'flushed':
        this.#flushed();
        return;
      case 'finished':
        void this.#complete(notice);
        return;
      case 'failed':
        if (notice.fatal) this.#fatal = [...this.#fatal, notice.fatal].slice(-MAX_FATAL);
        this.#failed(notice.message, notice.again);
    }
  }

  #failed(message: string, again: boolean): void {
    this.#options.log.warn({ why: message, again }, 'muxer cannot go on');
    this.#findings.hindered(message);
    if (again) {
      this.#muxer.restart(HINDERED_MS);
      this.#home.changed();
    } else {
      void this.#conclude('failed', RECORDER_EXIT.failed);
    }
  }

  #complete(finished: Extract<MuxerNotice, { readonly type: 'finished' }>): Promise<void> {
    if (finished.files.length > 0) {
      this.#findings.finished(finished);
      return this.#conclude('completed', RECORDER_EXIT.completed);
    }
    this.#findings.hindered('no media came');
    return this.#conclude('failed', RECORDER_EXIT.failed);
  }

  /** Tells home how it ended, until that is heard. */
  async #conclude(state: 'completed' | 'failed', code: number): Promise<void> {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#endState = state;
    this.#receiver.stop();
    this.#muxer.stop();
    const untilMs = this.#options.now() + LAST_WORD_MS;
    while (!(await this.#home.report()) && !this.#departing && this.#options.now() < untilMs) {
      await sleep(TICK_MS);
    }
    this.#close(code);
  }

  #end(code: number): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#close(code);
  }

  #close(code: number): void {
    clearInterval(this.#ticker);
    this.#receiver.stop();
    this.#muxer.stop();
    this.#home.close();
    this.#socket.removeFolder();
    this.#resolve(code);
  }

  #report(): RecorderReport {
    const { spec, attempt } = this.#options.attempt;
    const ending = !['recording', 'ended'].includes(this.#phase) && !this.#departing;
    const state = this.#endState ?? (ending ? 'finishing' : undefined);
    return {
      recording: spec.id,
      attempt,
      leaving: this.#leaving,
      ...this.#findings.report(state),
    };
  }
}
