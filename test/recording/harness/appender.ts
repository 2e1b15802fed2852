/**
 * A process that appends numbered chunks to a recording's store, until it is told to do something else or
 * dies. Its only argument is an `AppenderOrder` in JSON; it is told by messages, and tells what became of it.
 */
import { pino } from 'pino';
import { openFolder } from '../../../adapters/storage/folder/folder.ts';
import { openS3 } from '../../../adapters/storage/s3/s3.ts';
import type { RecordingFile, RecordingSpec } from '../../../core/recording/recording.ts';
import { numberedChunk, readableEnds } from '../../../recorder/store/harness/numbered-chunks.ts';
import { openStore } from '../../../recorder/store/open-store.ts';
import { finishRecording } from '../../../recorder/sweep/finish-recording.ts';

export type StoragePlace =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 's3'; readonly endpoint: string; readonly prefix: string };

export interface AppenderOrder {
  readonly place: StoragePlace;
  readonly spoolDirectory: string;
  readonly spec: RecordingSpec;
  readonly epoch: number;
  /** 0 = it only finishes what is there. */
  readonly chunkBytes: number;
  readonly everyMs: number;
}

export type AppenderWord =
  | { readonly type: 'opened'; readonly nextOffset: number }
  /** Up to there the file is durable. */
  | { readonly type: 'durable'; readonly to: number }
  | { readonly type: 'refused' }
  | { readonly type: 'ended'; readonly why: string }
  | { readonly type: 'finished'; readonly files: readonly RecordingFile[]; readonly ms: number };

export type AppenderTask = 'finish' | 'pause';

export function openPlace(place: StoragePlace) {
  if (place.kind === 'folder') return openFolder(place.path);
  const { endpoint, prefix } = place;
  return openS3({ endpoint, prefix, bucket: 'recordings', region: 'us-east-1', pathStyle: true });
}

const FINISH = { ends: readableEnds, timeoutMs: 60_000 } as const;

async function append(order: AppenderOrder): Promise<void> {
  const { spoolDirectory, spec, epoch, chunkBytes, everyMs } = order;
  const objects = openPlace(order.place);
  const log = pino({ level: process.env.MILLRACE_TEST_LOG ?? 'silent' }, pino.destination(2));
  const finish = async () => {
    const finished = await finishRecording({
      ...FINISH,
      ...{ objects, id: spec.id, epoch, spoolDirectory, log },
    });
    return finished?.files ?? [];
  };
  if (chunkBytes === 0) {
    const beganAtMs = performance.now();
    say({ type: 'finished', files: await finish(), ms: performance.now() - beganAtMs });
    return;
  }
  const store = await openStore({
    ...{ objects, spoolDirectory, spec, epoch, log },
    onDurable: () => say({ type: 'durable', to: store.progress().durable.offset }),
    onEnd: (error) => say({ type: 'ended', why: error instanceof Error ? error.name : String(error) }),
  });
  const timeline = store.recovered?.state?.timeline as { readonly seq: number } | undefined;
  let seq = timeline ? timeline.seq + 1 : 0;
  let offset = store.recovered?.nextOffset ?? 0;
  say({ type: 'opened', nextOffset: offset });
  const timer = setInterval(() => {
    const chunk = numberedChunk(epoch, seq, offset, chunkBytes);
    if (!store.append(chunk)) return say({ type: 'refused' });
    seq++;
    offset += chunk.bytes.length;
  }, everyMs);
  process.on('message', async (task: AppenderTask) => {
    clearInterval(timer);
    if (task === 'pause') return;
    const beganAtMs = performance.now();
    const { settled } = await store.finish(FINISH);
    const ms = performance.now() - beganAtMs;
    await settled;
    say({ type: 'finished', files: await finish(), ms });
  });
}

function say(word: AppenderWord): void {
  process.send?.(word);
}

if (import.meta.main) {
  process.on('disconnect', () => process.exit());
  process.on('unhandledRejection', (error) => {
    say({ type: 'ended', why: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  });
  await append(JSON.parse(process.argv[2] ?? ''));
}
