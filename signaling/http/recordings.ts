import type { IncomingMessage } from 'node:http';
import {
  noRecording,
  parsePage,
  parseRecordingId,
  parseRecordingOrder,
  type RecordingList,
  recordingResource,
} from '../../core/api/index.ts';
import type { Authoriser, Identity } from '../../core/auth/index.ts';
import { parseStreamName } from '../../core/protocol/index.ts';
import { defaultFileName, parseFileName } from '../../core/recording/file-name.ts';
import type { RecordingRecord } from '../../core/recording/recording.ts';
import { demandRecord, recordingsOf } from '../recording-access.ts';
import { demandPermission, type Recordings, type Services } from '../request-context.ts';
import { type ApiAnswer, notAllowed, reading } from './api-answer.ts';
import { bearerToken } from './bearer-token.ts';
import { readText } from './text-body.ts';

const MAX_BODY_BYTES = 16 * 1024;
const PRESIGNED_S = 15 * 60;
/** A file is completed all the same when nobody waits for it any more. */
const STOP_TIMEOUT_MS = 30_000;

/** /api/v1/recordings, for whoever may record or administer the stream; the whole list is for administrators. */
export class RecordingsApi {
  readonly #services: Services;
  readonly #authoriser: Authoriser;

  constructor(services: Services, authoriser: Authoriser) {
    this.#services = services;
    this.#authoriser = authoriser;
  }

  /** @param id percent-decoded; absent = the collection  @throws MillraceError */
  async answer(
    request: IncomingMessage,
    query: URLSearchParams,
    [id, verb, ...rest]: readonly string[],
  ): Promise<ApiAnswer | undefined> {
    const identity = await this.#authoriser.identify(bearerToken(request));
    const recordings = recordingsOf(this.#services);
    if (id === undefined) {
      if (reading(request)) return this.#list(recordings, identity, query);
      return request.method === 'POST'
        ? this.#start(recordings, identity, request)
        : notAllowed('GET, HEAD, POST');
    }
    if (rest.length > 0) return undefined;
    const record = await find(recordings, identity, id);
    if (verb === undefined) {
      return reading(request) ? this.#show(recordings, record) : notAllowed('GET, HEAD');
    }
    if (verb === 'stop') {
      return request.method === 'POST' ? this.#stop(recordings, record) : notAllowed('POST');
    }
    return undefined;
  }

  async #list({ launcher }: Recordings, identity: Identity, query: URLSearchParams): Promise<ApiAnswer> {
    const named = query.get('stream');
    const stream = named === null ? undefined : parseStreamName(named);
    if (stream === undefined) demandPermission(identity, 'admin');
    else demandRecord(identity, stream);
    const { after, limit } = parsePage(query);
    const found = await launcher.list({
      // One more tells whether there is a next page.
      limit: limit + 1,
      ...(after !== undefined && { after: parseRecordingId(after) }),
      ...(stream !== undefined && { stream }),
    });
    const shown = found.slice(0, limit);
    const body: RecordingList = {
      recordings: shown.map((record) => recordingResource(record)),
      next: found.length > limit ? (shown.at(-1)?.id ?? null) : null,
    };
    return { status: 200, body };
  }

  async #start({ launcher }: Recordings, identity: Identity, request: IncomingMessage): Promise<ApiAnswer> {
    const { stream, fileName, maxDurationMs } = parseRecordingOrder(await readText(request, MAX_BODY_BYTES));
    demandRecord(identity, stream);
    const record = await launcher.start({
      stream,
      key: fileName === undefined ? defaultFileName(stream, Date.now()) : parseFileName(fileName),
      subject: identity.subject,
      timeoutMs: this.#services.settings.requestTimeoutMs,
      ...(maxDurationMs !== undefined && { maxDurationMs }),
    });
    this.#services.webhooks.recordingStarted(record);
    const headers = { Location: `/api/v1/recordings/${record.id}` };
    return { status: 201, headers, body: recordingResource(record) };
  }

  async #show({ objects }: Recordings, record: RecordingRecord): Promise<ApiAnswer> {
    const { files } = record.progress;
    const presigned = await Promise.all(files.map(({ key }) => objects.presign(key, PRESIGNED_S)));
    return { status: 200, body: recordingResource(record, presigned) };
  }

  async #stop({ launcher }: Recordings, { id }: RecordingRecord): Promise<ApiAnswer> {
    const [record] = await launcher.stop([id], { timeoutMs: STOP_TIMEOUT_MS });
    if (record === undefined) throw noRecording(id);
    return { status: 200, body: recordingResource(record) };
  }
}

/** The recording, if the caller may know of it. @throws MillraceError */
export async function find(
  { launcher }: Recordings,
  identity: Identity,
  id: string,
): Promise<RecordingRecord> {
  const record = await launcher.find(parseRecordingId(id));
  if (record === undefined) throw noRecording(id);
  demandRecord(identity, record.stream);
  return record;
}
