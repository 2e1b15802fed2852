import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { RecorderReport } from '../../../core/channel/recorder.ts';
import type { RecordingProgress, RecordingRecord, RecordingState } from '../../../core/recording/recording.ts';

const RUNNING: readonly RecordingState[] = ['starting', 'recording', 'finishing'];
/** Up to what a recording may lose when everything dies, and the storage away for a while. */
const FLUSH_BUCKETS_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60];

/** Of all recordings of this process together: no metric has a recording or a stream in its labels. */
export class LauncherMetrics {
  readonly #gaps: Counter;
  readonly #gapSeconds: Counter;
  readonly #bytes: Counter;
  readonly #flush: Histogram;
  readonly #storageErrors: Counter;
  readonly #attempts: Counter;
  readonly #ended: Counter<'outcome'>;

  /** @param running what has not ended, asked for at each scrape */
  constructor(registry: Registry, running: () => Iterable<RecordingRecord>) {
    const registers = [registry];
    const progresses = () => [...running()].map(({ progress }) => progress);
    new Gauge({
      name: 'millrace_recordings',
      help: 'Recordings that have not ended, by state',
      labelNames: ['state'],
      registers,
      collect() {
        for (const state of RUNNING) {
          this.set({ state }, progresses().filter((progress) => progress.state === state).length);
        }
      },
    });
    gauge(
      'millrace_recording_durable_lag_seconds',
      'Media that would be lost if everything died now, of the recording where that is most',
      () => Math.max(0, ...progresses().map(({ receivedMs, durableMs }) => receivedMs - durableMs)) / 1000,
    );
    gauge('millrace_recording_spool_bytes', 'Bytes on disk that wait for storage', () =>
      progresses().reduce((sum, { spoolBytes }) => sum + spoolBytes, 0),
    );
    const counter = (name: string, help: string) => new Counter({ name, help, registers });
    this.#gaps = counter('millrace_recording_gaps_total', 'Gaps in recordings that nobody muted');
    this.#gapSeconds = counter('millrace_recording_gap_seconds_total', 'Length of those gaps');
    this.#bytes = counter('millrace_recording_bytes_total', 'Bytes of recordings written');
    this.#storageErrors = counter('millrace_recording_storage_errors_total', 'Calls of the storage that failed');
    this.#attempts = counter(
      'millrace_recording_attempts_total',
      'Recorders started; more than recordings ended means that some died',
    );
    this.#flush = new Histogram({
      name: 'millrace_recording_flush_seconds',
      help: 'From a chunk of media until it is durable',
      buckets: FLUSH_BUCKETS_S,
      registers,
    });
    this.#ended = new Counter({
      name: 'millrace_recordings_ended_total',
      help: 'Recordings that ended, by outcome',
      labelNames: ['outcome'],
      registers,
    });
    for (const outcome of ['completed', 'failed']) this.#ended.inc({ outcome }, 0);

    function gauge(name: string, help: string, value: () => number): void {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value());
        },
      });
    }
  }

  attempted(): void {
    this.#attempts.inc();
  }

  /** What a recorder said, and what was known before. A successor may know less at first: nothing counts back. */
  reported({ storage }: RecorderReport): void {
    for (const ms of storage?.flushesMs ?? []) this.#flush.observe(ms / 1000);
    this.#storageErrors.inc(storage?.errors ?? 0);
  }

  progressed(before: RecordingProgress, after: RecordingProgress): void {
    this.#gaps.inc(Math.max(0, after.gaps.count - before.gaps.count));
    this.#gapSeconds.inc(Math.max(0, after.gaps.totalMs - before.gaps.totalMs) / 1000);
    this.#bytes.inc(Math.max(0, after.bytes - before.bytes));
  }

  ended(outcome: 'completed' | 'failed'): void {
    this.#ended.inc({ outcome });
  }
}
