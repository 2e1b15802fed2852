import { runMuxer } from '../recorder/index.ts';
import { beginRecorderPart } from './recorder-part.ts';
import { openStorage } from './storage.ts';

/** `millrace recorder-muxer`: what a recorder starts to write the file. */
export async function runMuxerPart(): Promise<void> {
  const { settings, log } = beginRecorderPart('muxer');
  if (settings.recordings === undefined) throw new Error('MILLRACE_RECORDINGS=off');
  const objects = await openStorage(settings.recordings);
  await runMuxer({ objects, spoolDirectory: settings.recordingSpool, log });
}
