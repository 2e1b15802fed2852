import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { NO_PROGRESS } from '../../../core/recording/progress.ts';
import type { RecordingId, RecordingProgress } from '../../../core/recording/recording.ts';
import { RecordingMetrics } from './metrics.ts';

const ID = 'a'.repeat(32) as RecordingId;

function opened(running: readonly RecordingProgress[] = []) {
  const registry = new Registry();
  const metrics = new RecordingMetrics(registry, () => running);
  const value = async (sample: string) => {
    const lines = (await registry.metrics()).split('\n');
    return Number(lines.find((line) => line.startsWith(`${sample} `))?.split(' ')[1]);
  };
  return { metrics, value };
}

const progress = (fields: Partial<RecordingProgress>): RecordingProgress => ({ ...NO_PROGRESS, ...fields });

test('The recording that would lose most is the one whose lag is shown', async () => {
  const { value } = opened([
    progress({ state: 'recording', receivedMs: 10_000, durableMs: 9500, spoolBytes: 10 }),
    progress({ state: 'recording', receivedMs: 5000, durableMs: 3000, spoolBytes: 5 }),
    progress({ state: 'finishing', receivedMs: 100, durableMs: 100 }),
  ]);
  assert.equal(await value('millrace_recording_durable_lag_seconds'), 2);
  assert.equal(await value('millrace_recording_spool_bytes'), 15);
  assert.equal(await value('millrace_recordings{state="recording"}'), 2);
  assert.equal(await value('millrace_recordings{state="finishing"}'), 1);
});

test('Bytes and gaps are counted once, also when a successor begins to count anew', async () => {
  const { metrics, value } = opened();
  metrics.progressed(ID, progress({}));
  metrics.progressed(ID, progress({ bytes: 1000, gaps: { count: 1, totalMs: 1500 } }));
  metrics.progressed(ID, progress({}));
  metrics.progressed(ID, progress({ bytes: 1200, gaps: { count: 2, totalMs: 2000 } }));
  assert.equal(await value('millrace_recording_bytes_total'), 1200);
  assert.equal(await value('millrace_recording_gaps_total'), 2);
  assert.equal(await value('millrace_recording_gap_seconds_total'), 2);
});

test('What an adopted recording had before is not counted again', async () => {
  const { metrics, value } = opened();
  metrics.progressed(ID, progress({ bytes: 5000 }));
  metrics.progressed(ID, progress({ bytes: 5500 }));
  assert.equal(await value('millrace_recording_bytes_total'), 500);
});

test('Flushes and failed calls arrive with reports', async () => {
  const { metrics, value } = opened();
  const report = {
    recording: ID,
    attempt: 1,
    progress: NO_PROGRESS,
    leaving: false,
    receiving: true,
    silentMs: 0,
  };
  metrics.reported({ ...report, storage: { flushesMs: [20, 700], errors: 3 } });
  metrics.reported(report);
  assert.equal(await value('millrace_recording_flush_seconds_count'), 2);
  assert.equal(await value('millrace_recording_flush_seconds_bucket{le="0.5"}'), 1);
  assert.equal(await value('millrace_recording_storage_errors_total'), 3);
});
