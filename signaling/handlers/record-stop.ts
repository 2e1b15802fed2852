import {
  MillraceError,
  type ReplyData,
  type RequestData,
  type StreamName,
} from '../../core/protocol/index.ts';
import { parseFileName } from '../../core/recording/file-name.ts';
import { hasEnded } from '../../core/recording/progress.ts';
import type { RecordingRecord } from '../../core/recording/recording.ts';
import { demandRecord, recordingsOf } from '../recording-access.ts';
import { type RequestContext, type Services, timeLeft } from '../request-context.ts';

/** What completing a file may take, beyond the time that any request has. */
export const STOP_EXTRA_MS = 20_000;
/** One that ended so recently is told of again: its client may have missed the first answer. */
const RECENT_MS = 60_000;
const MAX_OF_STREAM = 1000;

/** Ends recordings of a stream and answers when their files are complete and checked. */
export async function recordStop(
  services: Services,
  context: RequestContext,
  stream: StreamName,
  { fileName }: RequestData<'record.stop'>,
): Promise<ReplyData<'record.stop'>> {
  const { launcher } = recordingsOf(services);
  const { session, identity } = context;
  const key = fileName === undefined ? undefined : parseFileName(fileName);
  const known = await launcher.list({ stream, limit: MAX_OF_STREAM });
  const meant = known.filter((record) =>
    key === undefined ? record.origin === 'record.start' : record.key === key,
  );
  const own = meant.length > 0 && meant.every(({ id }) => services.news.isBy(id, session));
  if (!own && session.hold(stream)?.publish === undefined) demandRecord(identity, stream);

  const running = meant.filter(({ progress }) => !hasEnded(progress));
  const recent = meant.filter(({ saidAtMs }) => Date.now() - saidAtMs < RECENT_MS);
  const targets = running.length > 0 ? running : recent;
  if (targets.length === 0) throw notRunning(stream, fileName);
  const ids = targets.map(({ id }) => id);
  const ended = await launcher.stop(ids, { timeoutMs: Math.max(1, timeLeft(services, context)) });
  demandCompleted(ended);
  services.log.info({ session: session.publicId, stream, recordings: ids }, 'recordings stopped');
  return {
    recordings: ended.flatMap(({ id, progress }) =>
      progress.files.map((file) => ({ recording: id, fileName: file.key })),
    ),
  };
}

function demandCompleted(ended: readonly RecordingRecord[]): void {
  const failed = ended.find(({ progress }) => progress.state === 'failed');
  if (failed === undefined) return;
  const { key, progress } = failed;
  throw new MillraceError('internal', `the recording "${key}" failed: ${progress.message ?? 'see the log'}`);
}

function notRunning(stream: StreamName, fileName: string | undefined): MillraceError {
  const what = fileName === undefined ? 'that record.start began' : `with the name "${fileName}"`;
  return new MillraceError('recording_not_running', `no recording of "${stream}" ${what} runs`);
}
