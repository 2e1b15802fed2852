import { ERROR_CODES, MillraceError } from '@millrace/client';
import { currentToken } from './token.ts';

/** The part of /api/v1 that the page uses; its OpenAPI document has the rest. */
export interface StreamResource {
  readonly name: string;
  readonly since: string;
  readonly live: boolean;
  readonly tracks: readonly {
    readonly kind: 'audio' | 'video';
    readonly codec: string;
    readonly encodings: number;
  }[];
  readonly muted: { readonly audio: boolean; readonly video: boolean };
  readonly viewers: number;
  readonly bitrate_bps: number;
  readonly layers: readonly { readonly rid: string; readonly bitrate_bps: number }[];
  readonly loss_ratio: number;
  readonly round_trip_ms: number | null;
}

export interface PlayResource {
  readonly session: string;
  readonly since: string;
  readonly muted: { readonly audio: boolean; readonly video: boolean };
  readonly bitrate_bps: number;
  readonly spatial_layer: number | null;
  readonly available_bitrate_bps: number | null;
  readonly loss_ratio: number;
  readonly round_trip_ms: number | null;
}

export interface StreamList {
  readonly streams: readonly StreamResource[];
  /** Not null when there are more. */
  readonly next: string | null;
}

export interface StreamDetail extends StreamResource {
  readonly plays: readonly PlayResource[];
}

export interface RecordingFile {
  readonly fileName: string;
  readonly bytes: number;
  readonly duration_ms: number;
  readonly url: string;
}

export interface RecordingResource {
  readonly id: string;
  readonly stream: string;
  readonly fileName: string;
  readonly state: 'starting' | 'recording' | 'finishing' | 'completed' | 'failed';
  readonly started_at: string | null;
  readonly duration_ms: number;
  readonly durable_ms: number;
  readonly bytes: number;
  readonly spool_bytes: number;
  readonly gaps: { readonly count: number; readonly total_ms: number };
  readonly message?: string;
  readonly files: readonly RecordingFile[];
}

export interface RecordingList {
  readonly recordings: readonly RecordingResource[];
  readonly next: string | null;
}

const TIMEOUT_MS = 8000;
/** A file is completed and checked before the answer comes. */
const STOP_TIMEOUT_MS = 35_000;
export const LIST_LIMIT = 100;

/** @throws MillraceError as the server's problem says; `disconnected` when it cannot be reached */
export async function listStreams(): Promise<StreamList> {
  // Same origin, same release: the shapes are those of the OpenAPI document.
  return (await request('GET', `/api/v1/streams?limit=${LIST_LIMIT}`)) as StreamList;
}

export async function getStream(name: string): Promise<StreamDetail> {
  return (await request('GET', `/api/v1/streams/${encodeURIComponent(name)}`)) as StreamDetail;
}

export async function endStream(name: string): Promise<void> {
  await request('DELETE', `/api/v1/streams/${encodeURIComponent(name)}`);
}

export async function listRecordings(): Promise<RecordingList> {
  return (await request('GET', `/api/v1/recordings?limit=${LIST_LIMIT}`)) as RecordingList;
}

export async function startRecording(stream: string): Promise<RecordingResource> {
  const body = JSON.stringify({ stream });
  return (await request('POST', '/api/v1/recordings', {
    body,
    timeoutMs: STOP_TIMEOUT_MS,
  })) as RecordingResource;
}

export async function stopRecording(id: string): Promise<RecordingResource> {
  const path = `/api/v1/recordings/${id}/stop`;
  return (await request('POST', path, { timeoutMs: STOP_TIMEOUT_MS })) as RecordingResource;
}

/** Where a `<video>` finds a file; it sends no headers, so the token stands in the address. */
export function recordingUrl({ url }: RecordingFile): string {
  const token = currentToken();
  return token === undefined ? url : `${url}?token=${encodeURIComponent(token)}`;
}

interface RequestOptions {
  readonly body?: string;
  readonly timeoutMs?: number;
}

async function request(method: string, path: string, options: RequestOptions = {}): Promise<unknown> {
  let response: Response;
  try {
    const token = currentToken();
    response = await fetch(path, {
      method,
      headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
      ...(options.body !== undefined && { body: options.body }),
      signal: AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS),
      cache: 'no-store',
    });
  } catch (cause) {
    throw new MillraceError('disconnected', `${method} ${path}: ${String(cause)}`, { cause });
  }
  if (response.status === 204) return null;
  const body: unknown = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  throw errorOfProblem(body, `${method} ${path}: HTTP ${response.status}`);
}

/** RFC 9457, with the members `code`, `name` and `detail`. */
function errorOfProblem(body: unknown, fallback: string): MillraceError {
  const problem = (body ?? {}) as { code?: unknown; name?: unknown; detail?: unknown };
  const names = Object.keys(ERROR_CODES) as (keyof typeof ERROR_CODES)[];
  const name = names.find((candidate) => candidate === problem.name) ?? 'unknown_error';
  return new MillraceError(name, typeof problem.detail === 'string' ? problem.detail : fallback, {
    code: typeof problem.code === 'number' ? problem.code : 0,
  });
}
