/** The recorder role: one attempt at one recording, in the processes that it consists of. */
import type { RunMuxerOptions } from './muxer/run-muxer.ts';
import type { RunReceiverOptions } from './receiver/run-receiver.ts';

export type { RunMuxerOptions } from './muxer/run-muxer.ts';
export type { RunReceiverOptions } from './receiver/run-receiver.ts';
export { Superseded } from './store/claim.ts';
export { type ReserveOptions, releaseFile, reserveFile } from './store/reserve-file.ts';
export { Supervisor, type SupervisorOptions } from './supervisor/supervisor.ts';
export { type FindOptions, findUnfinished, type UnfinishedRecording } from './sweep/find-unfinished.ts';
export {
  type FinishedRecording,
  type FinishRecordingOptions,
  finishRecording,
} from './sweep/finish-recording.ts';

/** In a process of its own. Imported late: no other one needs mediasoup. */
export async function runReceiver(options: RunReceiverOptions): Promise<void> {
  const receiver = await import('./receiver/run-receiver.ts');
  receiver.runReceiver(options);
}

/** In a process of its own. Imported late: no other one needs its parts. */
export async function runMuxer(options: RunMuxerOptions): Promise<void> {
  const muxer = await import('./muxer/run-muxer.ts');
  muxer.runMuxer(options);
}
