import { z } from 'zod';
import { describeValue } from '../protocol/described-value.ts';
import { MillraceError } from '../protocol/error.ts';
import { parseStreamName, type StreamName } from '../protocol/stream-name.ts';
import type { RecordingFile, RecordingId, RecordingRecord } from '../recording/recording.ts';

const milliseconds = (of: string) => z.int().min(0).describe(`${of}, milliseconds`);
const bytes = (of: string) => z.int().min(0).describe(`${of}, bytes`);

export const RecordingIdSchema = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .describe('id of a recording, 32 hexadecimal digits');

export const RecordingFileSchema = z.object({
  fileName: z.string().describe('where it is, below the folder or prefix of recordings'),
  bytes: bytes('size'),
  duration_ms: milliseconds('length'),
  url: z.string().describe('path of its WebM, with Range (RFC 9110 section 14)'),
  presigned_url: z
    .string()
    .optional()
    .describe('the same from object storage itself, for 15 minutes; only where one recording is asked for'),
});

export const RecordingSchema = z.object({
  id: RecordingIdSchema,
  stream: z.string(),
  fileName: z.string().describe('what was asked for; `files` says what was written'),
  subject: z.string().describe('token subject of who started it; empty where authorisation is off'),
  state: z.enum(['starting', 'recording', 'finishing', 'completed', 'failed']),
  started_at: z.iso.datetime().nullable().describe('of its first media, RFC 3339; null before there is some'),
  duration_ms: milliseconds('received so far'),
  durable_ms: milliseconds('what would survive if everything died now'),
  bytes: bytes('size so far'),
  spool_bytes: bytes('what waits on disk for storage'),
  gaps: z.object({ count: z.int().min(0), total_ms: milliseconds('in all') }),
  attempt: z.int().min(0).describe('how many recorders it has had'),
  message: z.string().optional().describe('why it failed, or what hinders it now'),
  files: z.array(RecordingFileSchema).describe('finished files; one, unless it rolled over'),
});

export const RecordingListSchema = z.object({
  recordings: z.array(RecordingSchema).describe('newest first; those that ended stay for 24 hours'),
  next: z.string().nullable().describe('what to send as `after` for the next page; null behind the last one'),
});

export const RecordingRequestSchema = z.object({
  stream: z.string().describe('the name of a stream that is published'),
  fileName: z.string().optional().describe('a relative path; absent = made of the stream and the time'),
  max_duration_ms: z.int().min(1000).optional().describe('it ends by itself when it is that long'),
});

export type RecordingResource = z.infer<typeof RecordingSchema>;
export type RecordingList = z.infer<typeof RecordingListSchema>;

/** Path of a finished file, for `files[].url`. */
export function recordingFilePath(id: RecordingId, index: number): string {
  return `/api/v1/recordings/${id}/files/${index}`;
}

export function recordingResource(
  record: RecordingRecord,
  presigned: readonly (string | undefined)[] = [],
): RecordingResource {
  const { progress } = record;
  return {
    id: record.id,
    stream: record.stream,
    fileName: record.key,
    subject: record.subject,
    state: progress.state,
    started_at: progress.startedAtMs === undefined ? null : new Date(progress.startedAtMs).toISOString(),
    duration_ms: Math.round(progress.receivedMs),
    durable_ms: Math.round(progress.durableMs),
    bytes: progress.bytes,
    spool_bytes: progress.spoolBytes,
    gaps: { count: progress.gaps.count, total_ms: Math.round(progress.gaps.totalMs) },
    attempt: record.attempt,
    ...(progress.message !== undefined && { message: progress.message }),
    files: progress.files.map((file, index) => fileResource(record.id, file, index, presigned[index])),
  };
}

function fileResource(id: RecordingId, file: RecordingFile, index: number, presigned: string | undefined) {
  return {
    fileName: file.key,
    bytes: file.bytes,
    duration_ms: Math.round(file.durationMs),
    url: recordingFilePath(id, index),
    ...(presigned !== undefined && { presigned_url: presigned }),
  };
}

/** @throws MillraceError `recording_not_running`: no recording has such an id */
export function parseRecordingId(text: string): RecordingId {
  if (RecordingIdSchema.safeParse(text).success) return text as RecordingId;
  throw noRecording(text);
}

export function noRecording(id: string): MillraceError {
  return new MillraceError('recording_not_running', `there is no recording ${describeValue(id)}`);
}

export interface RecordingOrder {
  readonly stream: StreamName;
  readonly fileName?: string;
  readonly maxDurationMs?: number;
}

/**
 * The body that starts a recording.
 * @throws MillraceError `malformed`, `missing_field`, `invalid_field`
 */
export function parseRecordingOrder(text: string): RecordingOrder {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new MillraceError('malformed', 'the body is not JSON; send an object such as {"stream": "name"}', {
      cause,
    });
  }
  const parsed = RecordingRequestSchema.safeParse(json);
  if (!parsed.success) throw refusal(parsed.error, json);
  const { stream, fileName, max_duration_ms } = parsed.data;
  return {
    stream: parseStreamName(stream),
    ...(fileName !== undefined && { fileName }),
    ...(max_duration_ms !== undefined && { maxDurationMs: max_duration_ms }),
  };
}

function refusal(error: z.ZodError, json: unknown): MillraceError {
  const field = String(error.issues[0]?.path[0] ?? '');
  if (field === '')
    return new MillraceError('malformed', 'the body is not an object such as {"stream": "name"}');
  // What zod found in an object that it could read into.
  const value = (json as Record<string, unknown>)[field];
  if (value === undefined) return new MillraceError('missing_field', `"${field}" is missing`);
  return new MillraceError(
    'invalid_field',
    `"${field}" is ${describeValue(value)}: ${error.issues[0]?.message}`,
  );
}
