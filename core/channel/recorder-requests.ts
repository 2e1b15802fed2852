import { z } from 'zod';
import type { RecordingKey } from '../recording/recording.ts';
import { amount, type RequestSchemas, recordingId, recordingKey, streamName } from './parsed-service.ts';
import type { RecorderCalls } from './recorder.ts';
import type { RecordingCalls } from './recordings.ts';

/** Of one report; a recording rolls over into as many at most. */
const MAX_FILES = 10_000;
const MAX_FLUSHES = 1000;
const MAX_TEXT = 10_000;

const progress = z.object({
  state: z.enum(['starting', 'recording', 'finishing', 'completed', 'failed']),
  startedAtMs: z.number().exactOptional(),
  durableMs: amount,
  receivedMs: amount,
  bytes: amount,
  spoolBytes: amount,
  gaps: z.object({ count: amount, totalMs: amount }),
  files: z
    // Written already: what they may be called was decided before.
    .array(
      z.object({
        key: z.string().transform((key) => key as RecordingKey),
        bytes: amount,
        durationMs: amount,
      }),
    )
    .max(MAX_FILES),
  message: z.string().max(MAX_TEXT).exactOptional(),
});

/** What recorders may ask their home with. */
export const RECORDER_REQUESTS: RequestSchemas<RecorderCalls> = {
  report: z.object({
    recording: recordingId,
    attempt: z.int().min(1),
    progress,
    leaving: z.boolean(),
    receiving: z.boolean(),
    silentMs: amount,
    storage: z.object({ flushesMs: z.array(amount).max(MAX_FLUSHES), errors: amount }).exactOptional(),
  }),
  finish: z.object({ recording: recordingId, epoch: z.int().min(1) }),
};

/** What signaling may ask those with that run recordings. */
export const RECORDING_REQUESTS: RequestSchemas<RecordingCalls> = {
  start: z.object({
    stream: streamName,
    key: recordingKey,
    subject: z.string(),
    origin: z.literal('record.start').exactOptional(),
    timeoutMs: amount,
    maxDurationMs: amount.exactOptional(),
    store: z.string().max(MAX_TEXT),
  }),
  stop: z.object({ recording: recordingId, timeoutMs: amount }),
};
