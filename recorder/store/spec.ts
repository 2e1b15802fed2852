import { z } from 'zod';
import { parseStreamName } from '../../core/protocol/stream-name.ts';
import { parseFileName } from '../../core/recording/file-name.ts';
import type { RecordingFile, RecordingKey, RecordingSpec } from '../../core/recording/recording.ts';
import { parseRecordingId } from '../../core/recording/recording-id.ts';

const amount = z.number().nonnegative();

const specSchema = z.object({
  id: z.string().transform(parseRecordingId),
  stream: z.string().transform(parseStreamName),
  key: z.string().transform(parseFileName),
  subject: z.string(),
  origin: z.literal('record.start').exactOptional(),
  requestedAtMs: z.number(),
  limits: z.object({
    maxDurationMs: amount,
    maxFileBytes: amount,
    maxSpoolBytes: amount,
    flushIntervalMs: amount,
    resumeMs: amount,
  }),
  sidecar: z.boolean(),
});

const fileSchema = z.object({
  key: z.string().transform((key) => key as RecordingKey),
  bytes: amount,
  durationMs: amount,
});

/** What storage knows of a recording that is not complete. */
export function encodeSpec(spec: RecordingSpec): Uint8Array {
  return Buffer.from(`${JSON.stringify(spec)}\n`);
}

/** @throws SyntaxError, ZodError, MillraceError for what is no specification */
export function decodeSpec(bytes: Uint8Array): RecordingSpec {
  return specSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
}

/** A file that is complete, while the recording is not. */
export function encodeDone(file: RecordingFile): Uint8Array {
  return Buffer.from(`${JSON.stringify(file)}\n`);
}

/** @throws SyntaxError, ZodError for what is no such file */
export function decodeDone(bytes: Uint8Array): RecordingFile {
  return fileSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
}
