import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { noRecording, PROBLEM_MEDIA_TYPE } from '../../core/api/index.ts';
import type { Authoriser } from '../../core/auth/index.ts';
import { MillraceError } from '../../core/protocol/index.ts';
import { recordingsOf } from '../recording-access.ts';
import type { Services } from '../request-context.ts';
import { bearerToken } from './bearer-token.ts';
import { requestedRange } from './byte-range.ts';
import { find } from './recordings.ts';

const STORE_TIMEOUT_MS = 5000;
const PATH = /^\/api\/v1\/recordings\/([^/]+)\/files\/(\d{1,4})$/;

/** Id and number of the file that a path names. */
export function recordingFileOf(path: string): { readonly id: string; readonly index: number } | undefined {
  const [, id, index] = PATH.exec(path) ?? [];
  return id === undefined ? undefined : { id, index: Number(index) };
}

/**
 * Sends a finished file, or the part of it that a player asks for. A `<video>` sends no header of its own:
 * the token may stand in the query.
 *
 * @throws MillraceError before anything was sent
 */
export async function serveRecordingFile(
  { services, authoriser }: { readonly services: Services; readonly authoriser: Authoriser },
  request: IncomingMessage,
  response: ServerResponse,
  { id, index }: { readonly id: string; readonly index: number },
  query: URLSearchParams,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  const token = bearerToken(request) ?? query.get('token') ?? undefined;
  const recordings = recordingsOf(services);
  const record = await find(recordings, await authoriser.identify(token), id);
  const key = record.progress.files[index]?.key;
  const info = key && (await recordings.objects.head(key, { timeoutMs: STORE_TIMEOUT_MS }));
  if (!key || !info) throw noRecording(`${id}, file ${index}`);

  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('ETag', `"${info.etag.replaceAll('"', '')}"`);
  response.setHeader('Cache-Control', 'private, no-cache');
  response.setHeader('Content-Disposition', contentDisposition(key));
  const range = requestedRange(request.headers.range, info.bytes);
  if (range === 'unsatisfiable') {
    const detail = `the file has ${info.bytes} bytes`;
    const headers = { 'Content-Range': `bytes */${info.bytes}`, 'Content-Type': PROBLEM_MEDIA_TYPE };
    const problem = { type: 'about:blank', title: 'Range Not Satisfiable', status: 416, detail };
    response.writeHead(416, headers).end(JSON.stringify(problem));
    return;
  }
  const { from, to } = range === 'whole' ? { from: 0, to: info.bytes } : range;
  const head = {
    'Content-Type': 'video/webm',
    'Content-Length': to - from,
    ...(range !== 'whole' && { 'Content-Range': `bytes ${from}-${to - 1}/${info.bytes}` }),
  };
  const status = range === 'whole' ? 200 : 206;
  if (request.method === 'HEAD') {
    response.writeHead(status, head).end();
    return;
  }
  const body = await recordings.objects.read(key, { timeoutMs: STORE_TIMEOUT_MS, range: { from, to } });
  if (body === undefined) throw new MillraceError('storage_unavailable', `"${key}" is gone from storage`);
  response.writeHead(status, head);
  // A viewer that seeks or leaves cuts the connection: no failure of ours.
  await pipeline(Readable.from(body), response).catch((error: unknown) => {
    services.log.debug({ recording: record.id, err: error }, 'a recording was not sent to its end');
    response.destroy();
  });
}

/** RFC 6266, with the name in RFC 8187's form for what is not ASCII. */
function contentDisposition(key: string): string {
  const name = key.slice(key.lastIndexOf('/') + 1);
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16)}`,
  );
  return `inline; filename="${name.replaceAll(/[^\w .-]/g, '_')}"; filename*=UTF-8''${encoded}`;
}
