import type { Logger } from 'pino';
import { attemptOf } from '../core/recording/recording.ts';
import type { RecordingStorage, UnfinishedRecording } from '../core/recording/storage.ts';
import type { ObjectStore } from '../core/storage/object-store.ts';
import { reserveFile } from './store/reserve-file.ts';
import { discardRecording } from './sweep/discard-recording.ts';
import { type UnfinishedRecording as Found, findUnfinished } from './sweep/find-unfinished.ts';
import { finishRecording } from './sweep/finish-recording.ts';

/** What a writer left that did not know that the recording is complete, is so old before it is deleted. */
const LEFTOVER_AGE_MS = 10 * 60_000;

export interface RecordingStorageOptions {
  readonly objects: ObjectStore;
  /** Of this machine's recorders. */
  readonly spoolDirectory: string;
  readonly log: Logger;
  /** Unix time in ms. */
  readonly wallClock: () => number;
}

/** Storage as those see it who launch recorders. */
export function recordingStorage({
  objects,
  spoolDirectory,
  log,
  wallClock,
}: RecordingStorageOptions): RecordingStorage {
  return {
    async reserve(spec, { timeoutMs }) {
      await reserveFile({ objects, spec, log, timeoutMs });
    },
    async discard(spec, { timeoutMs }) {
      await discardRecording({ objects, spec, spoolDirectory, log, timeoutMs });
    },
    async unfinished({ limit, timeoutMs }) {
      const found = await findUnfinished({ objects, log, timeoutMs });
      const leftovers = found.filter(
        ({ spec, newestModifiedAtMs }) =>
          spec === undefined && wallClock() - newestModifiedAtMs > LEFTOVER_AGE_MS,
      );
      for (const { id, newestEpoch } of leftovers) {
        // One that cannot be cleared away keeps nobody else's recording from being found.
        await finishRecording({ objects, id, epoch: newestEpoch + 1, log, timeoutMs }).catch((error) =>
          log.warn({ recording: id, err: error }, 'what was left of a complete recording is not deleted yet'),
        );
      }
      return found.flatMap(described).slice(0, limit);
    },
  };
}

function described({ spec, newestEpoch, newestModifiedAtMs }: Found): UnfinishedRecording[] {
  if (spec === undefined) return [];
  return [{ spec, attempt: attemptOf(newestEpoch), writtenAtMs: newestModifiedAtMs }];
}
