/**
 * The recorder role: one attempt at one recording, in the processes that it consists of. What only one of them
 * needs is imported late: the supervisor, one for each recording, is to be small.
 */
import type { RecordingStorage } from '../core/recording/storage.ts';
import type { RunMuxerOptions } from './muxer/run-muxer.ts';
import type { RunReceiverOptions } from './receiver/run-receiver.ts';
import type { RecordingStorageOptions } from './recording-storage.ts';

export type { RunMuxerOptions } from './muxer/run-muxer.ts';
export type { RunReceiverOptions } from './receiver/run-receiver.ts';
export type { RecordingStorageOptions } from './recording-storage.ts';
export { Supervisor, type SupervisorOptions } from './supervisor/supervisor.ts';

/** In a process of its own. */
export async function runReceiver(options: RunReceiverOptions): Promise<void> {
  const receiver = await import('./receiver/run-receiver.ts');
  receiver.runReceiver(options);
}

/** In a process of its own. */
export async function runMuxer(options: RunMuxerOptions): Promise<void> {
  const muxer = await import('./muxer/run-muxer.ts');
  muxer.runMuxer(options);
}

/** For whoever launches recorders. */
export async function openRecordingStorage(options: RecordingStorageOptions): Promise<RecordingStorage> {
  const { recordingStorage } = await import('./recording-storage.ts');
  return recordingStorage(options);
}
