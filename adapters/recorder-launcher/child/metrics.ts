import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RecorderReport } from '../../../core/channel/recorder.ts';
import type { RecordingId, RecordingProgress, RecordingState } from '../../../core/recording/recording.ts';

const RUNNING: readonly RecordingState[] = ['starting', 'recording', 'finishing'];
/** From a healthy store to one that was away. */
const FLUSH_BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60];

/** Of all recordings of this process together: no metric has a stream or a recording in its labels. */
export class RecordingMetrics {
  readonly started: Counter;
  readonly died: Counter;
  readonly ended: Counter<'outcome'>;
  readonly #gaps: Counter;
  readonly #gapSeconds: Counter;
  readonly #bytes: Counter;
  readonly #flush: Histogram;
  readonly #storageErrors: Counter;
  /** What was counted of each. */
  readonly #counted = new Map<RecordingId, RecordingProgress>();

  /** @param running progress of those that have not ended, asked for at each scrape */
  constructor(registry: Registry, running: () => readonly RecordingProgress[]) {
    const registers = [registry];
    const counter = (name: string, help: string) => new Counter({ name, help, registers });
    const gauge = (name: string, help: string, value: () => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    new Gauge({
      name: 'millrace_recordings',
      help: 'Recordings that have not ended, by state',
      labelNames: ['state'],
      registers,
      collect() {
        const states = running().map(({ state }) => state);
        for (const state of RUNNING) this.set({ state }, states.filter((one) => one === state).length);
      },
    });
    gauge(
      'millrace_recording_durable_lag_seconds',
      'Media that would be lost if everything died now, of the recording where that is most',
      () => Math.max(0, ...running().map(({ receivedMs, durableMs }) => receivedMs - durableMs)) / 1000,
    );
    gauge('millrace_recording_spool_bytes', 'Bytes on disk that wait for storage', () =>
      running().reduce((sum, { spoolBytes }) => sum + spoolBytes, 0),
    );
    this.started = counter('millrace_recorders_started_total', 'Recorders started');
    this.died = counter('millrace_recorders_died_total', 'Recorders that died or had to be killed');
    this.#gaps = counter('millrace_recording_gaps_total', 'Gaps in recordings that nobody muted');
    this.#gapSeconds = counter('millrace_recording_gap_seconds_total', 'Length of those gaps');
    this.#bytes = counter('millrace_recording_bytes_total', 'Bytes of recordings written');
    this.#storageErrors = counter(
      'millrace_recording_storage_errors_total',
      'Calls of the storage that failed, and were made again',
    );
    this.#flush = new Histogram({
      name: 'millrace_recording_flush_seconds',
      help: 'From a chunk of media until it is durable',
      buckets: FLUSH_BUCKETS_S,
      registers,
    });
    this.ended = new Counter({
      name: 'millrace_recordings_ended_total',
      help: 'Recordings that ended, by outcome',
      labelNames: ['outcome'],
      registers,
    });
    // An alert on a rate needs the sample before the first failure.
    for (const outcome of ['completed', 'failed']) this.ended.inc({ outcome }, 0);
  }

  reported({ storage }: RecorderReport): void {
    for (const ms of storage?.flushesMs ?? []) this.#flush.observe(ms / 1000);
    this.#storageErrors.inc(storage?.errors ?? 0);
  }

  /** A successor may know less at first: nothing counts back, and nothing is counted twice. */
  progressed(id: RecordingId, progress: RecordingProgress): void {
    const before = this.#counted.get(id);
    // What an adopted recording had before was counted by another process.
    const grown = (of: (one: RecordingProgress) => number) =>
      before === undefined ? 0 : Math.max(0, of(progress) - of(before));
    const gaps = grown(({ gaps }) => gaps.count);
    const gapMs = grown(({ gaps }) => gaps.totalMs);
    const bytes = grown((one) => one.bytes);
    this.#gaps.inc(gaps);
    this.#gapSeconds.inc(gapMs / 1000);
    this.#bytes.inc(bytes);
    if (before === undefined || progress.bytes >= before.bytes) this.#counted.set(id, progress);
  }

  forget(id: RecordingId): void {
    this.#counted.delete(id);
  }
}
