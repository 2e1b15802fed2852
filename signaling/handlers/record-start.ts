import {
  MillraceError,
  type ReplyData,
  type RequestData,
  type StreamName,
} from '../../core/protocol/index.ts';
import { defaultFileName, parseFileName } from '../../core/recording/file-name.ts';
import { hasEnded } from '../../core/recording/progress.ts';
import type { RecordingRecord } from '../../core/recording/recording.ts';
import { demandRecord, recordingsOf } from '../recording-access.ts';
import { type Recordings, type RequestContext, type Services, timeLeft } from '../request-context.ts';

/** For the first media of a recording to come. */
const START_TIMEOUT_MS = 5000;
/** Names made from the time are tried for this many seconds ahead. */
const NAMES = 3;

/** Records a stream, for its publisher or whoever else may record it; answers when media arrives. */
export async function recordStart(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  { fileName }: RequestData<'record.start'>,
): Promise<ReplyData<'record.start'>> {
  const recordings = recordingsOf(services);
  const { session, identity } = context;
  if (session.hold(stream)?.publish === undefined) demandRecord(identity, stream);
  const record =
    fileName === undefined
      ? ((await begunBefore(services, context, recordings, stream)) ??
        (await startUnnamed(services, context, recordings, stream)))
      : await recordings.launcher.start({
          ...orderOf(services, context, stream),
          key: parseFileName(fileName),
        });
  services.news.began(record.id, session, stream, fileName === undefined);
  services.webhooks.recordingStarted(record);
  const { id, key, progress } = record;
  services.log.info({ session: session.publicId, stream, recording: id, key }, 'stream is recorded');
  const startedAtMs = progress.startedAtMs ?? record.requestedAtMs;
  return { fileName: key, recording: id, started_at: new Date(startedAtMs).toISOString() };
}

/** A client that asks again, as it got no answer, means the same recording. */
async function begunBefore(
  { news }: Services,
  { session }: RequestContext,
  { launcher }: Recordings,
  stream: StreamName,
): Promise<RecordingRecord | undefined> {
  const id = news.unnamed(session, stream);
  const record = id === undefined ? undefined : await launcher.find(id);
  const runs = record !== undefined && !hasEnded(record.progress) && record.progress.state !== 'finishing';
  return runs ? record : undefined;
}

async function startUnnamed(
  services: Services,
  context: RequestContext,
  { launcher }: Recordings,
  stream: StreamName,
): Promise<RecordingRecord> {
  const nowMs = Date.now();
  for (let ahead = 0; ; ahead += 1) {
    const key = defaultFileName(stream, nowMs + ahead * 1000);
    try {
      return await launcher.start({ ...orderOf(services, context, stream), key });
    } catch (error) {
      const taken = error instanceof MillraceError && error.errorName === 'name_taken';
      if (!taken || ahead + 1 >= NAMES) throw error;
    }
  }
}

function orderOf(services: Services, context: RequestContext, stream: StreamName) {
  return {
    stream,
    subject: context.identity.subject,
    origin: 'record.start',
    timeoutMs: Math.max(1, Math.min(START_TIMEOUT_MS, timeLeft(services, context))),
  } as const;
}
